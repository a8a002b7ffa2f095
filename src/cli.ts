import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { activate, deactivate } from './commands/activation.ts';
import { listAudit } from './commands/audit.ts';
import { changePassword } from './commands/changepassword.ts';
import { createToken } from './commands/create-token.ts';
import { createUser } from './commands/createuser.ts';
import { flushExpiredTokens } from './commands/flush-expired-tokens.ts';
import { addKey, listKeys, promoteKey, retireKey } from './commands/keys.ts';
import type { KeyDeps } from './commands/keys.ts';
import { loadData } from './commands/loaddata.ts';
import { migrate } from './commands/migrate.ts';
import { seed } from './commands/seed.ts';
import { ConfigError, environment, loadConfig, loadKeySettings } from './config.ts';
import { connect, DatabaseUnavailable, isUnavailable } from './db.ts';
import type { Database } from './db.ts';
import type { Deps } from './deps.ts';
import { OperatorError, ValidationError } from './errors.ts';
import { prepareSchema } from './schema.ts';
import { lifetime } from './setting-parsers.ts';
import { ALGORITHMS } from './settings.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_CONFIG = 78; // EX_CONFIG of sysexits.h

const MAX_PRODUCTS = 10_000_000;
const PASSWORD_HELP =
  '\nThe password is typed twice on a terminal, or is one line of standard input; it is generated with ' +
  '--generate, or where standard input is empty.';

const program = new Command('latchkey')
  .description('Manages the accounts, tokens and database of Latchkey.')
  .exitOverride()
  .showHelpAfterError('(--help tells more)')
  .allowExcessArguments(false)
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong settings.');

program
  .command('migrate')
  .description('apply the migrations that the database lacks')
  .option('--status', 'only list the migrations, applied [X] and not [ ]')
  .option('--down', 'take the newest migration back')
  .action(async (options) => {
    if (options.down && options.status)
      program.error('error: --down and --status exclude each other', { exitCode: EXIT_USAGE });
    await withDatabase(({ db }) => migrate(options, db));
  });

addCreateUser('createuser', 'make an account and its opaque token')
  .option('--staff', 'may change the products of others (is_staff)')
  .option('--superuser', 'is_superuser');

addCreateUser('createsuperuser', 'createuser --staff --superuser', {
  staff: true,
  superuser: true,
});

program
  .command('changepassword')
  .description('set the password of a user, and end all sessions and the opaque token of that user')
  .argument('<name>', 'username')
  .option('--generate', 'generate the password, and print it once')
  .addHelpText('after', PASSWORD_HELP)
  .action((name, options) => run((deps) => changePassword({ ...options, name }, deps)));

program
  .command('deactivate')
  .description('keep a user out, and end all sessions of that user for good')
  .argument('<name>', 'username')
  .action((name) => run((deps) => deactivate({ name }, deps)));

program
  .command('activate')
  .description('let a user in again')
  .argument('<name>', 'username')
  .action((name) => run((deps) => activate({ name }, deps)));

program
  .command('create-token')
  .alias('drf_create_token')
  .description('print the opaque token of a user, made if there is none')
  .argument('<name>', 'username')
  .option('-r, --reset', 'end the token there is, and make a new one')
  .action((name, options) => run((deps) => createToken({ ...options, name }, deps)));

program
  .command('flush-expired-tokens')
  .alias('flushexpiredtokens')
  .description(
    'delete what has expired: sessions, blacklisted tokens, idempotency keys, counts, old events',
  )
  .option('--dry-run', 'only count them')
  .action((options) => run((deps) => flushExpiredTokens(options, deps)));

program
  .command('loaddata')
  .description('import users from a JSON file, all or none')
  .argument('<file>', '{"users": [{"username": …, "password" or "password_hash": …, …}]}')
  .action((file) => run((deps) => loadData({ file }, deps)));

program
  .command('seed')
  .description('add demo products')
  .requiredOption('--products <number>', `how many, up to ${MAX_PRODUCTS}`, parseProducts)
  .option('--owner <name>', 'user who owns them (default: the first)')
  .action((options) => run((deps) => seed(options, deps)));

const audit = program
  .command('audit')
  .description('what happened to accounts, sessions and opaque tokens');

audit
  .command('list')
  .description('show the newest events')
  .option('--user <name>', 'of this user')
  .option('--event <name>', 'of this kind, such as login_refused')
  .option('--since <time>', 'no older than this, such as 24h', parseTime)
  .option('--limit <number>', 'how many at most', parseLimit, 100)
  .option('--json', 'as JSON, an object a line')
  .action((options) => run((deps) => listAudit(options, deps)));

const keys = program.command('keys').description('manage the keys in KEYS_DIR that sign JWTs');

keys
  .command('list')
  .description('show the keys, and what can be done with each')
  .action(() => runWithKeys(listKeys));

keys
  .command('add')
  .description('make a key, or take one from a file; it verifies, and signs once it is promoted')
  .addOption(
    new Option('--algorithm <name>', 'what the key is for').choices(ALGORITHMS).default('ES256'),
  )
  .option('--file <path>', 'private key in PEM, or secret (HS*)')
  .option(
    '--verify-only',
    'the file is the secret or public key of another system, whose tokens are good here',
  )
  .action((options) => {
    if (options.verifyOnly && options.file === undefined)
      program.error('error: --verify-only needs --file', { exitCode: EXIT_USAGE });
    runWithKeys((deps) => addKey(options, deps));
  });

keys
  .command('promote')
  .description('let a key sign, once everybody knows it; the former one only verifies from then on')
  .argument('[kid]', 'kid of the key, or its beginning (default: the only next one)')
  .option('--force', 'without waiting until everybody knows it')
  .action((kid, options) => runWithKeys((deps) => promoteKey({ ...options, kid }, deps)));

keys
  .command('retire')
  .description('end a key whose last token has expired, and delete it')
  .argument('<kid>', 'kid of the key, or its beginning')
  .option('--force', 'now, which ends tokens that are still good')
  .action((kid, options) => runWithKeys((deps) => retireKey({ ...options, kid }, deps)));

function addCreateUser(name: string, description: string, roles: object = {}): Command {
  return program
    .command(name)
    .description(description)
    .argument('<name>', 'username')
    .option('--email <address>', 'e-mail address')
    .option('--inactive', 'cannot log in (is_active off)')
    .option('--generate', 'generate the password, and print it once')
    .addHelpText('after', PASSWORD_HELP)
    .action((username, options) =>
      run((deps) => createUser({ ...options, ...roles, name: username }, deps)),
    );
}

function parseProducts(text: string): number {
  const number = /^\d{1,8}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_PRODUCTS)
    throw new InvalidArgumentError(`It must be a number from 1 to ${MAX_PRODUCTS}.`);
  return number;
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new InvalidArgumentError('It must be a number from 1 to 999999.');
  return Number(text);
}

function parseTime(text: string): number {
  try {
    return lifetime(text);
  } catch (error) {
    throw new InvalidArgumentError(`It ${error instanceof Error ? error.message : ''}.`);
  }
}

async function run(command: (deps: Deps) => Promise<string>): Promise<void> {
  await withDatabase(async (database, deps) => {
    await prepareSchema(database);
    return command(deps);
  });
}

function runWithKeys(command: (deps: KeyDeps) => string): void {
  console.log(command({ settings: loadKeySettings(environment()), now: new Date() }));
}

async function withDatabase(
  work: (database: Database, deps: Deps) => Promise<string>,
): Promise<void> {
  const config = loadConfig(environment());
  const database = await connect(config, { statementTimeout: 0 });
  try {
    const deps = { config, db: database.db, now: () => new Date() };
    console.log(await work(database, deps));
  } catch (error) {
    throw isUnavailable(error) ? new DatabaseUnavailable(database, error) : error;
  } finally {
    await database.close();
  }
}

function explain(error: unknown): string {
  if (error instanceof ValidationError) return error.sentences().join('\n');
  if (error instanceof OperatorError) return error.message;
  return `Failed unexpectedly: ${error instanceof Error ? error.message || error.name : error}`;
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it already.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    console.error(explain(error));
    process.exitCode = error instanceof ConfigError ? EXIT_CONFIG : EXIT_FAILED;
  }
}

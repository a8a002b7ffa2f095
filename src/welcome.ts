import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { Demo } from './demo.ts';

export interface Started {
  origin: string;
  database: string;
  demo?: Demo | undefined;
  /** How many processes serve, where there is more than one. */
  workers?: number;
  config: Config;
}

/** Says where everything is: to a person in a paragraph, to a log in one line. */
export function welcome({ origin, database, demo, workers, config }: Started, log: Logger): void {
  if (config.NODE_ENV === 'production') {
    log.info({ origin, database, workers }, 'listening');
    return;
  }
  const lines = [
    '',
    `  Latchkey is listening at ${origin}`,
    '',
    ...(config.DOCS ? [`  Docs      ${origin}/docs`] : []),
    `  Contract  ${origin}/openapi.yaml`,
    `  Database  ${database}`,
    ...(workers === undefined ? [] : [`  Workers   ${workers}`]),
    ...(demo
      ? demoLines(demo, origin)
      : ['', '  Make a user with: npm run manage -- createuser NAME']),
    '',
  ];
  console.log(lines.join('\n'));
}

function demoLines({ tokenFile, login }: Demo, origin: string): string[] {
  const user = login ? [`  User      ${login.username} with password ${login.password}`] : [];
  const curl = `curl -H "Authorization: Token $(cat ${tokenFile})" ${origin}/products/`;
  return [
    ...user,
    '',
    '  Try it (the token of user demo is in a file, for you only):',
    '',
    `  ${curl}`,
  ];
}

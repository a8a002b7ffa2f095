import type { Knex } from 'knex';

// What ended, in the transaction that ended it, for all replicas to learn: a session (family), a single token
// (jti), what a replica remembers of a user or of an opaque token. Triggers write it, so that no way of ending
// something, SQL typed by hand included, can forget to. `xid` lets a reader go on where it stopped without
// missing a transaction that began early and committed late, as a sequence would.
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('revocation', (table) => {
    table
      .specificType('id', 'bigint GENERATED ALWAYS AS IDENTITY')
      .primary({ constraintName: 'revocation_pkey' });
    table.specificType('xid', 'xid8').notNullable().defaultTo(knex.raw('pg_current_xact_id()'));
    table.string('kind', 16).notNullable();
    table.string('subject', 255).notNullable();
    table.timestamp('revoked_at').notNullable().defaultTo(knex.raw('clock_timestamp()'));
    table.index(['xid', 'id'], 'revocation_xid_idx');
    table.index(['revoked_at'], 'revocation_revoked_at_idx');
    table.check(`kind IN ('family', 'jti', 'token', 'user')`, [], 'revocation_kind_check');
  });
  await knex.schema.alterTable('users', (table) => {
    // Also where no password changed: a deactivation counts as well.
    table.renameColumn('password_changed_at', 'tokens_valid_from');
  });
  await knex.raw(FUNCTIONS);
  await knex.raw(TRIGGERS);
}

// Equal notifications of one transaction are sent once.
const FUNCTIONS = `
  CREATE FUNCTION note_revocation(what text, which text) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
    INSERT INTO revocation (kind, subject) VALUES (what, which);
    SELECT pg_notify('revocation', '');
  $$;

  CREATE FUNCTION token_family_ended() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM note_revocation('family', OLD.id::text);
    RETURN NULL;
  END $$;

  CREATE FUNCTION blacklisted_token_added() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM note_revocation('jti', NEW.jti);
    RETURN NULL;
  END $$;

  CREATE FUNCTION authtoken_ended() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM note_revocation('token', encode(OLD.digest, 'hex'));
    RETURN NULL;
  END $$;

  CREATE FUNCTION users_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    PERFORM note_revocation('user', OLD.id::text);
    RETURN NULL;
  END $$;

  CREATE FUNCTION users_deactivated() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    -- For good: what was out does not come back with the account. Tokens and sessions of another version are dead.
    NEW.token_version := greatest(NEW.token_version, OLD.token_version + 1);
    NEW.tokens_valid_from := clock_timestamp();
    RETURN NEW;
  END $$;
`;

const TRIGGERS = `
  CREATE TRIGGER token_family_revoked AFTER UPDATE OF revoked_at ON token_family FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION token_family_ended();
  CREATE TRIGGER token_family_moved AFTER UPDATE OF user_id, token_version ON token_family FOR EACH ROW
    WHEN ((OLD.user_id, OLD.token_version) IS DISTINCT FROM (NEW.user_id, NEW.token_version))
    EXECUTE FUNCTION token_family_ended();
  -- What expired goes in silence.
  CREATE TRIGGER token_family_deleted AFTER DELETE ON token_family FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION token_family_ended();

  -- With a family it was rotated, not revoked.
  CREATE TRIGGER blacklisted_token_added AFTER INSERT ON blacklisted_token FOR EACH ROW
    WHEN (NEW.family_id IS NULL)
    EXECUTE FUNCTION blacklisted_token_added();

  CREATE TRIGGER authtoken_replaced AFTER UPDATE ON authtoken FOR EACH ROW
    WHEN ((OLD.digest, OLD.user_id) IS DISTINCT FROM (NEW.digest, NEW.user_id))
    EXECUTE FUNCTION authtoken_ended();
  CREATE TRIGGER authtoken_deleted AFTER DELETE ON authtoken FOR EACH ROW
    EXECUTE FUNCTION authtoken_ended();

  CREATE TRIGGER users_deleted AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION users_changed();
  -- Neither a login nor a rehash changes what replicas remember.
  CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.is_active, OLD.is_staff, OLD.is_superuser, OLD.token_version, OLD.tokens_valid_from)
      IS DISTINCT FROM
      (NEW.username, NEW.email, NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.token_version, NEW.tokens_valid_from))
    EXECUTE FUNCTION users_changed();
  CREATE TRIGGER users_deactivated BEFORE UPDATE ON users FOR EACH ROW
    WHEN (OLD.is_active AND NOT NEW.is_active)
    EXECUTE FUNCTION users_deactivated();
`;

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP TRIGGER users_deactivated ON users;
    DROP TRIGGER users_changed ON users;
    DROP TRIGGER users_deleted ON users;
    DROP TRIGGER authtoken_deleted ON authtoken;
    DROP TRIGGER authtoken_replaced ON authtoken;
    DROP TRIGGER blacklisted_token_added ON blacklisted_token;
    DROP TRIGGER token_family_deleted ON token_family;
    DROP TRIGGER token_family_moved ON token_family;
    DROP TRIGGER token_family_revoked ON token_family;
    DROP FUNCTION users_deactivated, users_changed, authtoken_ended,
      blacklisted_token_added, token_family_ended, note_revocation;
  `);
  await knex.schema.alterTable('users', (table) => {
    table.renameColumn('tokens_valid_from', 'password_changed_at');
  });
  await knex.schema.dropTable('revocation');
}

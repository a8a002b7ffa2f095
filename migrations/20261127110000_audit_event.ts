import type { Knex } from 'knex';

// What happened to accounts, sessions and opaque tokens. Triggers write it in the transaction of the act, so that no
// way of doing it, SQL typed by hand included, can forget to; what a refused login leaves is the service's to write.
// Ids and prefixes of addresses alone: neither tokens nor what somebody typed. The rows outlive whom they are about.
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('audit_event', (table) => {
    table
      .specificType('id', 'bigint GENERATED ALWAYS AS IDENTITY')
      .primary({ constraintName: 'audit_event_pkey' });
    table.timestamp('at').notNullable().defaultTo(knex.raw('clock_timestamp()'));
    table.string('event', 32).notNullable();
    table.integer('user_id');
    table.uuid('session_id');
    table.specificType('address', 'inet');
    table.string('reason', 32);
    table.index(['at'], 'audit_event_at_idx');
    table.index(['user_id', 'id'], 'audit_event_user_id_idx');
  });
  await knex.raw(FUNCTIONS);
  await knex.raw(TRIGGERS);
}

const FUNCTIONS = `
  -- What one subscriber has: of an IPv6 address the first 64 bits.
  CREATE FUNCTION audit_address(address inet) RETURNS inet LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN family(address) = 6 THEN network(set_masklen(address, 64))::inet ELSE address END;
  $$;

  CREATE FUNCTION audit_token_family() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    IF TG_OP = 'INSERT' THEN
      INSERT INTO audit_event (event, user_id, session_id, address)
        VALUES ('session_started', NEW.user_id, NEW.id, audit_address(NEW.ip));
    ELSE
      INSERT INTO audit_event (event, user_id, session_id, reason)
        VALUES ('session_ended', NEW.user_id, NEW.id, NEW.revoked_reason);
    END IF;
    RETURN NULL;
  END $$;

  CREATE FUNCTION audit_authtoken() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO audit_event (event, user_id) VALUES (
      CASE TG_OP WHEN 'INSERT' THEN 'token_made' WHEN 'UPDATE' THEN 'token_replaced' ELSE 'token_ended' END,
      CASE TG_OP WHEN 'DELETE' THEN OLD.user_id ELSE NEW.user_id END);
    RETURN NULL;
  END $$;

  CREATE FUNCTION audit_users() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    IF TG_OP = 'INSERT' THEN
      INSERT INTO audit_event (event, user_id) VALUES ('account_made', NEW.id);
    ELSIF TG_OP = 'DELETE' THEN
      INSERT INTO audit_event (event, user_id) VALUES ('account_deleted', OLD.id);
    ELSE
      INSERT INTO audit_event (event, user_id)
        SELECT event, NEW.id FROM (VALUES
          ('activated', NEW.is_active AND NOT OLD.is_active),
          ('deactivated', OLD.is_active AND NOT NEW.is_active),
          ('role_changed', (OLD.is_staff, OLD.is_superuser) IS DISTINCT FROM (NEW.is_staff, NEW.is_superuser)),
          ('username_changed', OLD.username <> NEW.username),
          ('email_changed', OLD.email <> NEW.email),
          -- The same password in another notation moves no version.
          ('password_changed', OLD.password <> NEW.password AND OLD.token_version <> NEW.token_version),
          ('sessions_ended', OLD.password = NEW.password AND OLD.token_version <> NEW.token_version
            AND NEW.is_active)) AS acts (event, is_so)
        WHERE is_so;
    END IF;
    RETURN NULL;
  END $$;
`;

const TRIGGERS = `
  CREATE TRIGGER audit_token_family_started AFTER INSERT ON token_family FOR EACH ROW
    EXECUTE FUNCTION audit_token_family();
  CREATE TRIGGER audit_token_family_ended AFTER UPDATE OF revoked_at ON token_family FOR EACH ROW
    WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION audit_token_family();

  CREATE TRIGGER audit_authtoken_changed AFTER INSERT OR DELETE ON authtoken FOR EACH ROW
    EXECUTE FUNCTION audit_authtoken();
  CREATE TRIGGER audit_authtoken_replaced AFTER UPDATE ON authtoken FOR EACH ROW
    WHEN (OLD.digest IS DISTINCT FROM NEW.digest)
    EXECUTE FUNCTION audit_authtoken();

  CREATE TRIGGER audit_users_come_and_gone AFTER INSERT OR DELETE ON users FOR EACH ROW
    EXECUTE FUNCTION audit_users();
  CREATE TRIGGER audit_users_changed AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.username, OLD.email, OLD.is_active, OLD.is_staff, OLD.is_superuser, OLD.token_version)
      IS DISTINCT FROM (NEW.username, NEW.email, NEW.is_active, NEW.is_staff, NEW.is_superuser, NEW.token_version))
    EXECUTE FUNCTION audit_users();
`;

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    DROP TRIGGER audit_users_changed ON users;
    DROP TRIGGER audit_users_come_and_gone ON users;
    DROP TRIGGER audit_authtoken_replaced ON authtoken;
    DROP TRIGGER audit_authtoken_changed ON authtoken;
    DROP TRIGGER audit_token_family_ended ON token_family;
    DROP TRIGGER audit_token_family_started ON token_family;
    DROP FUNCTION audit_users, audit_authtoken, audit_token_family, audit_address;
  `);
  await knex.schema.dropTable('audit_event');
}

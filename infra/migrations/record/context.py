"""What an audit row says of its origin, hashed with it.

``context`` is one more field of the hashed text, after ``details``, in rows that have it: rows of
an older version have none and keep their hash. It holds the version of the code that wrote the row,
the versions of the account's and the platform's settings in force, and the id of the HTTP request.
"""

CONTEXT = """
ALTER TABLE audit_log ADD COLUMN context jsonb;

CREATE OR REPLACE FUNCTION audit_text(entry audit_log) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT audit_field(entry.previous_hash)
        || audit_field(entry.account_id)
        || audit_field(entry.sequence::text)
        || audit_field(to_char(
               entry.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(entry.actor)
        || audit_field(entry.action)
        || audit_field(entry.correlation)
        || audit_field(entry.details::text)
        || coalesce(audit_field(entry.context::text), '')
$$;

-- In the scope of the account: whose settings are read is whose chain is written.
CREATE FUNCTION audit_context(p_account text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'code', nullif(current_setting('aether.code', true), ''),
        'request', nullif(current_setting('aether.request', true), ''),
        'settings', (SELECT max(version) FROM account_settings WHERE account_id = p_account),
        'platform_settings', (SELECT max(version) FROM platform_settings_versions)))
$$;

CREATE OR REPLACE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    head audit_heads;
BEGIN
    INSERT INTO audit_heads (account_id, sequence, hash)
        VALUES (NEW.account_id, 0, repeat('0', 64)) ON CONFLICT (account_id) DO NOTHING;
    SELECT * INTO STRICT head FROM audit_heads WHERE account_id = NEW.account_id FOR UPDATE;
    NEW.sequence := head.sequence + 1;
    NEW.recorded_at := clock_timestamp();
    NEW.context := audit_context(NEW.account_id);
    NEW.previous_hash := head.hash;
    NEW.hash := encode(sha256(convert_to(audit_text(NEW), 'UTF8')), 'hex');
    UPDATE audit_heads SET sequence = NEW.sequence, hash = NEW.hash
        WHERE account_id = NEW.account_id;
    RETURN NEW;
END
$$;

REVOKE EXECUTE ON FUNCTION audit_context(text) FROM PUBLIC;
"""

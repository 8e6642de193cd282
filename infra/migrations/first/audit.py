"""The audit log: append-only, numbered and hash-chained per account by the database itself.

The hash of a row is SHA-256, in lower-case hexadecimal, of the UTF-8 text that its fields make when
each is written as ``<length in bytes>:<field>,`` one after the other:

    previous hash, account, sequence, recorded at, actor, action, correlation, details

``recorded at`` is UTC as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``; ``details`` is the text PostgreSQL gives
for its jsonb; the previous hash of the first row is 64 zeros. Lengths make the text unambiguous.
"""

CHAIN = """
CREATE FUNCTION audit_field(field text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT octet_length(convert_to(field, 'UTF8')) || ':' || field || ','
$$;

CREATE FUNCTION audit_text(entry audit_log) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT audit_field(entry.previous_hash)
        || audit_field(entry.account_id)
        || audit_field(entry.sequence::text)
        || audit_field(to_char(
               entry.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || audit_field(entry.actor)
        || audit_field(entry.action)
        || audit_field(entry.correlation)
        || audit_field(entry.details::text)
$$;

-- Runs as the owner, because nobody else may move a chain's head. The head's row lock makes
-- concurrent inserts into one chain wait for each other; different chains do not meet.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    head audit_heads;
BEGIN
    INSERT INTO audit_heads (account_id, sequence, hash)
        VALUES (NEW.account_id, 0, repeat('0', 64)) ON CONFLICT (account_id) DO NOTHING;
    SELECT * INTO STRICT head FROM audit_heads WHERE account_id = NEW.account_id FOR UPDATE;
    NEW.sequence := head.sequence + 1;
    NEW.recorded_at := clock_timestamp();
    NEW.previous_hash := head.hash;
    NEW.hash := encode(sha256(convert_to(audit_text(NEW), 'UTF8')), 'hex');
    UPDATE audit_heads SET sequence = NEW.sequence, hash = NEW.hash
        WHERE account_id = NEW.account_id;
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP USING ERRCODE = 'AE002';
END
$$;

CREATE TRIGGER audit_log_chain BEFORE INSERT ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_heads_kept BEFORE DELETE OR TRUNCATE ON audit_heads
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- ALWAYS: also in a session whose replication role would switch ordinary triggers off.
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_chain;
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;
ALTER TABLE audit_heads ENABLE ALWAYS TRIGGER audit_heads_kept;
"""

"""Another key of an account that trades live, or is approved to: somebody else agreed, once."""

APPROVED_KEYS = """
ALTER TABLE exchange_keys ADD COLUMN approval_id text;
CREATE UNIQUE INDEX one_key_for_an_approval ON exchange_keys (account_id, approval_id);

-- Whatever process writes it. The scope of whoever inserts is the account's, or its own isolation
-- refuses the row.
CREATE FUNCTION exchange_key_allowed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- One at a time with an approval to go live: what it binds is this key or the one before.
    PERFORM pg_advisory_xact_lock(hashtext('aether.going_live.' || NEW.account_id));
    IF NEW.mode <> 'live' OR NOT EXISTS (SELECT FROM accounts
        WHERE account_id = NEW.account_id AND mode = 'live')
        AND NOT EXISTS (SELECT FROM going_live_requests
        WHERE account_id = NEW.account_id AND approved_by IS NOT NULL AND used_at IS NULL
        AND requested_at > clock_timestamp() - interval '24 hours'
        AND number = (SELECT max(number) FROM going_live_requests
            WHERE account_id = NEW.account_id))
    THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT FROM approvals a
        JOIN approval_decisions d USING (account_id, approval_id, decided_by)
        WHERE a.account_id = NEW.account_id AND a.approval_id = NEW.approval_id
        AND a.subject = 'exchange_key' AND a.status = 'approved' AND d.approved
        AND a.requested_by = NEW.stored_by AND d.at > clock_timestamp() - interval '24 hours'
        AND a.content::jsonb->>'fingerprint' = NEW.fingerprint)
    THEN
        RAISE EXCEPTION 'nobody has approved another key of %', NEW.account_id
            USING ERRCODE = 'AE003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_key_allowed BEFORE INSERT ON exchange_keys
    FOR EACH ROW EXECUTE FUNCTION exchange_key_allowed();

-- One that has gone comes back as a new row only, and so by the rule above.
CREATE FUNCTION exchange_key_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'key % of % was %', OLD.number, OLD.account_id, OLD.state
        USING ERRCODE = 'AE003';
END
$$;
CREATE TRIGGER exchange_key_gone BEFORE UPDATE ON exchange_keys FOR EACH ROW
    WHEN (NEW.state = 'in_use' AND OLD.state <> 'in_use') EXECUTE FUNCTION exchange_key_gone();
"""

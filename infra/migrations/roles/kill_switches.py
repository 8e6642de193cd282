"""Kill switches: raised, acknowledged and lifted by functions; lifted only if the API was asked."""

KILL_SWITCHES = """
ALTER TABLE kill_switches ADD COLUMN lift_requested_by text,
    ADD COLUMN lift_requested_at timestamptz;

CREATE FUNCTION audit_kill_switch(
    p_number integer, p_accounts text[], p_by text, p_action text, p_details jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    chain text;
BEGIN
    -- Chains are locked in one order by everybody who writes to several.
    FOR chain IN SELECT DISTINCT name COLLATE "C" FROM unnest(p_accounts || 'platform'::text) name
        ORDER BY 1
    LOOP
        PERFORM write_audit(chain, p_by, p_action, p_details, 'kill-switch/' || p_number);
    END LOOP;
END
$$;

-- The exclusive counterpart of the shared lock in store_intent(): when this has committed, every
-- intent either is committed and can be found, or sees the flag. A repeat changes nothing.
CREATE FUNCTION engage_kill_switch(
    p_number integer, p_accounts text[], p_flatten boolean, p_reason text, p_by text,
    p_at timestamptz, p_token_hash text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.kill_switch'));
    INSERT INTO kill_switches (number, accounts, flatten, reason, engaged_by, engaged_at)
        VALUES (p_number, p_accounts, p_flatten, p_reason, author, p_at) ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM audit_kill_switch(p_number, p_accounts, author, 'kill_switch_engaged',
            jsonb_build_object('number', p_number::text, 'flatten', p_flatten::text,
                'reason', p_reason));
    END IF;
END
$$;

CREATE FUNCTION acknowledge_kill_switch(p_number integer, p_account text, p_at text)
RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE kill_switches
        SET acknowledged = jsonb_build_object(p_account, p_at) || acknowledged
        WHERE number = p_number AND p_account = ANY (accounts)
$$;

-- The first request stands. Its author is who was authenticated.
CREATE FUNCTION request_kill_switch_lift(
    p_number integer, p_by text, p_at timestamptz, p_token_hash text
) RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
    asked text;
BEGIN
    UPDATE kill_switches SET lift_requested_by = COALESCE(lift_requested_by, author),
            lift_requested_at = COALESCE(lift_requested_at, p_at)
        WHERE number = p_number
        RETURNING lift_requested_by INTO asked;
    RETURN asked;
END
$$;

-- Lifts what somebody who was authenticated has asked to lift, in that person's name.
CREATE FUNCTION lift_kill_switch(p_number integer, p_at timestamptz) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry kill_switches;
BEGIN
    SELECT * INTO entry FROM kill_switches WHERE number = p_number FOR UPDATE;
    IF NOT FOUND OR entry.lifted_at IS NOT NULL THEN
        RETURN;
    END IF;
    IF entry.lift_requested_by IS NULL THEN
        RAISE EXCEPTION 'nobody has asked to lift kill switch %', p_number
            USING ERRCODE = 'AE003';
    END IF;
    UPDATE kill_switches SET lifted_by = entry.lift_requested_by, lifted_at = p_at
        WHERE number = p_number;
    PERFORM audit_kill_switch(p_number, entry.accounts, entry.lift_requested_by,
        'kill_switch_lifted', jsonb_build_object('number', p_number::text));
END
$$;
"""

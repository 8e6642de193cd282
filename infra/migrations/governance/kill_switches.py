"""Kill switches of single pairs, and their lift: asked for by one person, approved by another."""

SYMBOLS = """
ALTER TABLE kill_switches ADD COLUMN symbols text[] NOT NULL DEFAULT '{}',
    ADD COLUMN lift_approval text, ADD COLUMN lift_reason text;

DROP FUNCTION engage_kill_switch(integer, text[], boolean, text, text, timestamptz, text);
-- As before; without symbols every pair is stopped.
CREATE FUNCTION engage_kill_switch(
    p_number integer, p_accounts text[], p_flatten boolean, p_reason text, p_by text,
    p_at timestamptz, p_token_hash text, p_symbols text[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.kill_switch'));
    INSERT INTO kill_switches (number, accounts, flatten, reason, engaged_by, engaged_at, symbols)
        VALUES (p_number, p_accounts, p_flatten, p_reason, author, p_at, p_symbols)
        ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM audit_kill_switch(p_number, p_accounts, author, 'kill_switch_engaged',
            jsonb_build_object('number', p_number::text, 'flatten', p_flatten::text,
                'reason', p_reason, 'symbols', array_to_string(p_symbols, ', ')));
    END IF;
END
$$;
"""

LIFTS = """
DROP FUNCTION request_kill_switch_lift(integer, text, timestamptz, text);
-- The request that stands: the first, until it is decided otherwise than by an approval. Whoever
-- calls starts its workflow, which may have been missed before.
CREATE FUNCTION request_kill_switch_lift(
    p_number integer, p_by text, p_at timestamptz, p_token_hash text, p_approval text,
    p_reason text
) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
    entry kill_switches;
    status text;
BEGIN
    SELECT * INTO entry FROM kill_switches WHERE number = p_number FOR UPDATE;
    IF entry.lift_approval IS NOT NULL THEN
        PERFORM set_config('aether.account_id', 'platform', true);
        SELECT a.status INTO status FROM approvals a
            WHERE a.account_id = 'platform' AND a.approval_id = entry.lift_approval;
    END IF;
    IF entry.lift_approval IS NULL
        OR status IN ('refused', 'withdrawn', 'lapsed', 'expired', 'outdated')
    THEN
        UPDATE kill_switches SET lift_requested_by = author, lift_requested_at = p_at,
                lift_approval = p_approval, lift_reason = p_reason
            WHERE number = p_number RETURNING * INTO entry;
        PERFORM audit_kill_switch(p_number, entry.accounts, author, 'kill_switch_lift_requested',
            jsonb_build_object('number', p_number::text, 'reason', p_reason,
                'approval', p_approval));
    END IF;
    RETURN jsonb_build_object('by', entry.lift_requested_by, 'at', entry.lift_requested_at,
        'approval', entry.lift_approval, 'reason', entry.lift_reason);
END
$$;

DROP FUNCTION lift_kill_switch(integer, timestamptz);
-- Lifts what one person has asked for and another one was authenticated to approve; never who
-- engaged it. People are their ids: names are not looked at.
CREATE FUNCTION lift_kill_switch(p_number integer, p_at timestamptz, p_by text) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry kill_switches;
    approved boolean;
BEGIN
    SELECT * INTO entry FROM kill_switches WHERE number = p_number FOR UPDATE;
    IF NOT FOUND OR entry.lifted_at IS NOT NULL THEN
        RETURN;
    END IF;
    IF entry.lift_requested_by IS NULL THEN
        RAISE EXCEPTION 'nobody has asked to lift kill switch %', p_number
            USING ERRCODE = 'AE003';
    END IF;
    IF p_by IN (entry.engaged_by, entry.lift_requested_by)
        OR entry.lift_requested_by NOT LIKE 'user/%'
    THEN
        RAISE EXCEPTION 'kill switch % is lifted by another person', p_number
            USING ERRCODE = 'AE003';
    END IF;
    PERFORM set_config('aether.account_id', 'platform', true);
    SELECT EXISTS (SELECT FROM approval_decisions d WHERE d.account_id = 'platform'
        AND d.approval_id = entry.lift_approval AND d.decided_by = p_by AND d.approved)
        INTO approved;
    IF NOT approved THEN
        RAISE EXCEPTION 'nobody has approved to lift kill switch %', p_number
            USING ERRCODE = 'AE003';
    END IF;
    UPDATE kill_switches SET lifted_by = p_by, lifted_at = p_at WHERE number = p_number;
    PERFORM audit_kill_switch(p_number, entry.accounts, p_by, 'kill_switch_lifted',
        jsonb_build_object('number', p_number::text, 'requested_by', entry.lift_requested_by,
            'reason', entry.lift_reason, 'approval', entry.lift_approval));
END
$$;

REVOKE EXECUTE ON FUNCTION
    engage_kill_switch(integer, text[], boolean, text, text, timestamptz, text, text[]),
    request_kill_switch_lift(integer, text, timestamptz, text, text, text),
    lift_kill_switch(integer, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    engage_kill_switch(integer, text[], boolean, text, text, timestamptz, text, text[])
    TO aether_app, aether_api;
GRANT EXECUTE ON FUNCTION
    request_kill_switch_lift(integer, text, timestamptz, text, text, text) TO aether_api;
GRANT EXECUTE ON FUNCTION lift_kill_switch(integer, timestamptz, text) TO aether_app;
"""


def store_intent(functions: str) -> str:
    """Return the function that stores an intent, so that it knows stopped pairs.

    Raises:
        ValueError: the function as it was is not what is changed here.
    """
    begins = functions.index("CREATE FUNCTION store_intent")
    body, mark, _ = functions[begins:].partition("\n$$;")
    old = "p_account = ANY (accounts));"
    if not mark or body.count(old) != 1:
        raise ValueError("store_intent is not what it was")
    new = """p_account = ANY (accounts)
            AND (symbols = '{}' OR p_spec->>'symbol' = ANY (symbols)));"""
    return body.replace(old, new).replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION") + mark

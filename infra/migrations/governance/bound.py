"""What was still taken on the word of whoever calls: times, names, and what a confirmation is for.

Guards go by the database's own clock; a token's name cannot be that of a person or of a schedule;
a confirmation counts for the one request that it was given for, in the session that gave it.
"""

TIMES = """
-- As before, but the delay begins now, whatever time whoever asks says that it is.
CREATE OR REPLACE FUNCTION ask_recovery(p_id text, p_name text, p_at timestamptz, p_by text)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, '');
    moment timestamptz := greatest(p_at, clock_timestamp());
    person text;
    live text[];
    asked recoveries;
    number integer;
BEGIN
    SELECT p.user_id INTO person FROM people p
        WHERE p.name = p_name AND p.disabled_at IS NULL AND is_director(p.user_id);
    IF person IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('aether.recovery'));
    SELECT * INTO asked FROM recoveries r
        WHERE r.user_id = person AND r.cancelled_at IS NULL AND r.used_at IS NULL;
    IF FOUND THEN
        RETURN to_jsonb(asked);
    END IF;
    SELECT array_agg(account) INTO live FROM live_account_ids() account;
    IF live IS NOT NULL THEN
        number := nextval('kill_switch_numbers');
        PERFORM pg_advisory_xact_lock(hashtext('aether.kill_switch'));
        INSERT INTO kill_switches (number, accounts, flatten, reason, engaged_by, engaged_at)
            VALUES (number, live, false, 'a director is recovered on the machine', author, moment);
        PERFORM audit_kill_switch(number, live, author, 'kill_switch_engaged',
            jsonb_build_object('number', number::text, 'flatten', 'false',
                'reason', 'a director is recovered on the machine'));
        moment := moment + interval '24 hours';
    END IF;
    INSERT INTO recoveries (recovery_id, user_id, asked_at, asked_by, effective_at, kill_switch)
        VALUES (p_id, person, least(p_at, clock_timestamp()), author, moment, number)
        RETURNING * INTO asked;
    PERFORM record_person(author, 'recovery_asked', person, jsonb_build_object(
        'recovery', p_id, 'effective_at', asked.effective_at::text));
    RETURN to_jsonb(asked);
END
$$;
"""

TOKENS = """
-- The name is the author of what is done with the token: it is nobody's who counts as a person or
-- as a part of the platform. Tokens of an older version keep theirs until they expire. And a token
-- lives as long as the machine makes them at most, from now on, not from any other time.
CREATE FUNCTION bounded_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.name !~ '^[a-z0-9][a-z0-9._-]{0,62}$'
        OR NEW.name IN ('aether', 'platform', 'schedule', 'drift'))
    THEN
        RAISE EXCEPTION '% is no name for a token', NEW.name USING ERRCODE = 'AE003';
    END IF;
    IF NEW.expires_at > clock_timestamp() + interval '366 days' THEN
        RAISE EXCEPTION 'a token of the machine lives for a year at most' USING ERRCODE = 'AE003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER bounded_token BEFORE INSERT OR UPDATE OF expires_at ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION bounded_token();
CREATE FUNCTION bounded_access_token_life() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.expires_at > clock_timestamp() + interval '91 days' THEN
        RAISE EXCEPTION 'a token of a person lives for 90 days at most' USING ERRCODE = 'AE003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER bounded_access_token_life BEFORE INSERT OR UPDATE OF expires_at ON access_tokens
    FOR EACH ROW EXECUTE FUNCTION bounded_access_token_life();
"""

ACCOUNTS = """
-- Whoever sets accounts up on the machine sets them up in simulation: going live takes the road
-- that the workers go, with its conditions and its two people.
CREATE FUNCTION account_begins_simulated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF session_user = 'aether_admin' AND NEW.mode <> 'simulated' THEN
        RAISE EXCEPTION 'an account begins in simulation' USING ERRCODE = 'AE003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER account_begins_simulated BEFORE INSERT ON accounts
    FOR EACH ROW EXECUTE FUNCTION account_begins_simulated();
"""

CONFIRMED = """
-- Whether a person has confirmed the approval of this very request, lately, in the session that
-- acts now: neither an earlier confirmation nor one of another request counts, and no token's.
CREATE FUNCTION has_confirmed(p_step_up text, p_person text, p_session_hash text, p_account text,
    p_approval text
) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM step_ups u JOIN person_sessions s USING (session_id)
        WHERE u.step_up_id = p_step_up AND u.user_id = p_person AND s.session_hash = p_session_hash
            AND u.used_at > clock_timestamp() - interval '10 minutes'
            AND (u.purpose = 'approve'
                    AND u.subject = '/api/v1/approvals/' || p_approval || '/approve'
                OR u.purpose = 'approve_universe_change' AND u.subject IN (
                    SELECT '/api/v1/universe/changes/' || c.number || '/approve'
                    FROM universe_changes c WHERE c.approval_id = p_approval)
                OR u.purpose = 'approve_going_live' AND u.subject IN (
                    SELECT '/api/v1/accounts/' || p_account || '/going-live/requests/'
                        || g.number || '/approve'
                    FROM going_live_requests g
                    WHERE g.account_id = p_account AND g.approval_id = p_approval)))
$$;
REVOKE EXECUTE ON FUNCTION has_confirmed(text, text, text, text, text) FROM PUBLIC;
"""

ASKED_BY_PEOPLE = (
    "change_settings",
    "lift_drawdown",
    "go_live",
    "universe",
    "lift_kill_switch",
    "promote_model",
    "exchange_key",
)
"""Subjects that take a person to ask, as the table of subjects says."""
SCHEDULES = ("schedule", "drift")
"""Who may ask for a model besides."""


def note_decision(functions: str) -> str:
    """Return the function that notes a decision, bound to the request it was confirmed for.

    Raises:
        ValueError: the function as it was is not what is changed here.
    """
    begins = functions.index("CREATE OR REPLACE FUNCTION note_decision")
    body, mark, _ = functions[begins:].partition("\n$$;")
    old = """NOT EXISTS (SELECT FROM step_ups u
        WHERE u.step_up_id = p_step_up AND u.user_id = person AND u.used_at IS NOT NULL
            AND u.purpose LIKE 'approve%')
    THEN"""
    first = "    concerned := concerned_accounts(asked);"
    if not mark or body.count(old) != 1 or body.count(first) != 1:
        raise ValueError("note_decision is not what it was")
    subjects = ", ".join(f"'{one}'" for one in ASKED_BY_PEOPLE)
    schedules = ", ".join(f"'{one}'" for one in SCHEDULES)
    asked = f"""    IF asked.subject IN ({subjects}) AND asked.requested_by NOT LIKE 'user/%'
        AND NOT (asked.subject = 'promote_model' AND asked.requested_by IN ({schedules}))
    THEN
        RAISE EXCEPTION '% is no person, and has asked for what people ask for',
            asked.requested_by USING ERRCODE = 'AE003';
    END IF;
"""
    new = """NOT has_confirmed(p_step_up, person, p_token_hash, p_account, p_approval)
    THEN"""
    return body.replace(old, new).replace(first, asked + first) + mark

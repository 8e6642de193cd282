"""Letting a director in again from the machine, after a delay and unless somebody cancels it."""

RECOVERY = """
-- Somebody on the machine wants to let the last director in again. With an account that trades live
-- it takes a day, in which every session can cancel it; nothing is entered. NULL for no such name.
CREATE FUNCTION ask_recovery(p_id text, p_name text, p_at timestamptz, p_by text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, '');
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
            VALUES (number, live, false, 'a director is recovered on the machine', author, p_at);
        PERFORM audit_kill_switch(number, live, author, 'kill_switch_engaged',
            jsonb_build_object('number', number::text, 'flatten', 'false',
                'reason', 'a director is recovered on the machine'));
    END IF;
    INSERT INTO recoveries (recovery_id, user_id, asked_at, asked_by, effective_at, kill_switch)
        VALUES (p_id, person, p_at, author,
            p_at + CASE WHEN live IS NULL THEN interval '0' ELSE interval '24 hours' END, number)
        RETURNING * INTO asked;
    PERFORM record_person(author, 'recovery_asked', person, jsonb_build_object(
        'recovery', p_id, 'effective_at', asked.effective_at::text));
    RETURN to_jsonb(asked);
END
$$;

-- The link, once the time has come. NULL while it has not, or where it was cancelled or taken.
CREATE FUNCTION take_recovery(p_id text, p_link text, p_at timestamptz, p_by text)
RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, '');
    person text;
BEGIN
    UPDATE recoveries r SET used_at = p_at
        WHERE r.recovery_id = p_id AND r.cancelled_at IS NULL AND r.used_at IS NULL
            AND r.effective_at <= least(p_at, now())
        RETURNING r.user_id INTO person;
    IF person IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM clear_factors(person, author, p_at);
    PERFORM make_link(p_link, 'recovery', person, p_at, author, interval '15 minutes');
    PERFORM record_person(author, 'recovery_taken', person, jsonb_build_object('recovery', p_id));
    RETURN person;
END
$$;

CREATE FUNCTION cancel_recovery(p_hash text, p_id text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
    recovered text;
BEGIN
    UPDATE recoveries r SET cancelled_at = p_at, cancelled_by = 'user/' || person
        WHERE r.recovery_id = p_id AND r.cancelled_at IS NULL AND r.used_at IS NULL
        RETURNING r.user_id INTO recovered;
    IF recovered IS NULL THEN
        RETURN false;
    END IF;
    PERFORM record_person('user/' || person, 'recovery_cancelled', recovered,
        jsonb_build_object('recovery', p_id));
    RETURN true;
END
$$;

CREATE FUNCTION list_recoveries() RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.asked_at DESC), '[]') FROM recoveries r
    WHERE r.cancelled_at IS NULL AND r.used_at IS NULL
$$;
"""

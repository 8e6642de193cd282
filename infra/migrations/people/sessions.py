"""Sessions, factors and confirmations, each changed with its audit row in one transaction."""

SESSIONS = """
CREATE FUNCTION person_named(p_name text) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT to_jsonb(p) FROM people p WHERE p.name = p_name AND p.disabled_at IS NULL
$$;

CREATE FUNCTION open_pending_session(p_user text, p_session_hash text, p_session_id text,
    p_at timestamptz, p_address text, p_agent text
) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO person_sessions (session_hash, session_id, user_id, standing, may_enrol, opened_at,
            used_at, address, agent)
        SELECT p_session_hash, p_session_id, p.user_id, 'pending',
            p.may_enrol AND NOT EXISTS (SELECT FROM person_factors f WHERE f.user_id = p.user_id
                AND f.confirmed_at IS NOT NULL AND f.removed_at IS NULL),
            p_at, p_at, p_address, p_agent
        FROM people p WHERE p.user_id = p_user AND p.disabled_at IS NULL
$$;

-- The same session under a new reference; a pending one becomes full, and begins with it. False
-- when the old reference counts no more: of two requests at once one succeeds.
CREATE FUNCTION replace_session(
    p_old text, p_new text, p_at timestamptz, p_method text
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    held person_sessions;
BEGIN
    SELECT * INTO held FROM person_sessions s WHERE s.session_hash = p_old FOR UPDATE;
    IF NOT FOUND OR person_of_session(p_old, held.standing) IS NULL THEN
        RETURN false;
    END IF;
    UPDATE person_sessions s SET revoked_at = p_at, revoked_by = 'replaced'
        WHERE s.session_hash = p_old;
    INSERT INTO person_sessions (session_hash, session_id, user_id, standing, may_enrol, opened_at,
            used_at, address, agent)
        VALUES (p_new, held.session_id, held.user_id, 'full', false,
            CASE held.standing WHEN 'full' THEN held.opened_at ELSE p_at END, p_at,
            held.address, held.agent);
    IF held.standing = 'pending' THEN
        PERFORM record_person('user/' || held.user_id, 'session_opened', held.user_id,
            jsonb_build_object('session', held.session_id, 'method', p_method,
                'address', held.address));
    END IF;
    RETURN true;
END
$$;

-- Ends a session of one's own, or as a director anybody's.
CREATE FUNCTION revoke_session(p_hash text, p_session_id text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
    ended text;
BEGIN
    UPDATE person_sessions s SET revoked_at = p_at, revoked_by = 'user/' || person
        WHERE s.session_id = p_session_id AND s.revoked_at IS NULL
            AND (s.user_id = person OR is_director(person))
        RETURNING s.user_id INTO ended;
    IF ended IS NULL THEN
        RETURN false;
    END IF;
    PERFORM record_person('user/' || person, 'session_revoked', ended,
        jsonb_build_object('session', p_session_id));
    RETURN true;
END
$$;

-- For functions of the owner: everything that a person is signed in with ends.
CREATE FUNCTION end_sessions(p_user text, p_by text, p_at timestamptz) RETURNS void LANGUAGE sql
AS $$
    UPDATE person_sessions s SET revoked_at = p_at, revoked_by = p_by
        WHERE s.user_id = p_user AND s.revoked_at IS NULL
$$;

CREATE FUNCTION list_sessions(p_hash text, p_user text) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(s) - 'session_hash' - 'challenge'
        || jsonb_build_object('current', s.session_hash = p_hash) ORDER BY s.opened_at DESC), '[]')
    FROM person_sessions s
    WHERE s.user_id = p_user AND s.revoked_at IS NULL AND s.standing = 'full'
        AND s.opened_at > now() - interval '12 hours' AND s.used_at > now() - interval '30 minutes'
        AND (acting_person(p_hash) = p_user OR is_director(acting_person(p_hash)))
$$;

-- Deletes sessions and unused links that ended long ago, never one younger than thirty days.
CREATE FUNCTION prune_sessions(p_before timestamptz) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    oldest timestamptz := least(p_before, now() - interval '30 days');
    gone integer;
BEGIN
    DELETE FROM enrolments e WHERE e.expires_at < oldest;
    DELETE FROM person_sessions s WHERE s.opened_at < oldest;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;

-- The challenge that a passkey of this session has to sign next; each is taken once.
CREATE FUNCTION set_session_challenge(p_hash text, p_challenge text) RETURNS boolean LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH changed AS (UPDATE person_sessions s SET challenge = p_challenge
        WHERE s.session_hash = p_hash AND s.revoked_at IS NULL RETURNING 1)
    SELECT EXISTS (SELECT FROM changed)
$$;
CREATE FUNCTION take_session_challenge(p_hash text) RETURNS text LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH held AS (SELECT s.session_hash, s.challenge FROM person_sessions s
            WHERE s.session_hash = p_hash AND s.revoked_at IS NULL FOR UPDATE),
        taken AS (UPDATE person_sessions s SET challenge = NULL FROM held
            WHERE s.session_hash = held.session_hash RETURNING held.challenge)
    SELECT challenge FROM taken
$$;
"""

FACTORS = """
CREATE FUNCTION factors_of(p_user text) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(f) || jsonb_build_object('codes', (SELECT count(*)
        FROM recovery_codes c WHERE c.user_id = p_user AND c.used_at IS NULL))
        ORDER BY f.created_at, f.factor_id), '[]')
    FROM person_factors f WHERE f.user_id = p_user AND f.removed_at IS NULL
$$;

-- The person who may change their factors with this session: a full one, or one opened by a link.
CREATE FUNCTION enrolling_person(p_hash text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    person text := person_of_session(p_hash, 'full');
BEGIN
    IF person IS NULL AND EXISTS (SELECT FROM person_sessions s WHERE s.session_hash = p_hash
        AND s.may_enrol)
    THEN
        person := person_of_session(p_hash, 'pending');
    END IF;
    IF person IS NULL THEN
        RAISE EXCEPTION 'no session that may add a factor' USING ERRCODE = 'AE003';
    END IF;
    RETURN person;
END
$$;

-- A factor not confirmed yet is worth nothing, and is replaced by the next. A passkey that somebody
-- has already is not added.
CREATE FUNCTION add_factor(p_hash text, p_factor text, p_kind text, p_label text, p_secret text,
    p_credential text, p_public_key text, p_sign_count bigint, p_at timestamptz
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := enrolling_person(p_hash);
BEGIN
    DELETE FROM person_factors f WHERE f.user_id = person AND f.confirmed_at IS NULL;
    INSERT INTO person_factors (factor_id, user_id, kind, label, secret, credential_id, public_key,
            sign_count, created_at)
        VALUES (p_factor, person, p_kind, p_label, p_secret, p_credential, p_public_key,
            p_sign_count, p_at)
        ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION confirm_factor(p_hash text, p_factor text, p_step bigint, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := enrolling_person(p_hash);
    added text;
BEGIN
    UPDATE person_factors f SET confirmed_at = p_at, last_step = p_step, last_used_at = p_at
        WHERE f.factor_id = p_factor AND f.user_id = person AND f.confirmed_at IS NULL
        RETURNING f.kind INTO added;
    IF added IS NULL THEN
        RETURN false;
    END IF;
    UPDATE people p SET may_enrol = false WHERE p.user_id = person;
    PERFORM record_person('user/' || person, 'factor_added', person,
        jsonb_build_object('factor', p_factor, 'kind', added));
    RETURN true;
END
$$;

-- A time step, and a passkey's counter, is accepted once: of two requests at once one succeeds.
CREATE FUNCTION use_factor(p_factor text, p_step bigint, p_sign_count bigint, p_at timestamptz)
RETURNS boolean LANGUAGE sql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH used AS (UPDATE person_factors f
        SET last_step = coalesce(p_step, f.last_step), last_used_at = p_at,
            sign_count = coalesce(p_sign_count, f.sign_count)
        WHERE f.factor_id = p_factor AND f.confirmed_at IS NOT NULL AND f.removed_at IS NULL
            AND (f.kind <> 'totp' OR p_step > coalesce(f.last_step, -1))
            AND (f.kind <> 'passkey' OR p_sign_count > f.sign_count
                OR p_sign_count = 0 AND f.sign_count = 0)
        RETURNING 1)
    SELECT EXISTS (SELECT FROM used)
$$;

-- False for the only factor of a person: it is replaced, not removed.
CREATE FUNCTION remove_factor(p_hash text, p_factor text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
BEGIN
    PERFORM FROM people p WHERE p.user_id = person FOR UPDATE;
    UPDATE person_factors f SET removed_at = p_at
        WHERE f.factor_id = p_factor AND f.user_id = person AND f.removed_at IS NULL
            AND EXISTS (SELECT FROM person_factors o WHERE o.user_id = person
                AND o.factor_id <> p_factor AND o.confirmed_at IS NOT NULL
                AND o.removed_at IS NULL);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM record_person('user/' || person, 'factor_removed', person,
        jsonb_build_object('factor', p_factor));
    RETURN true;
END
$$;

CREATE FUNCTION replace_recovery_codes(p_hash text, p_codes text[], p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := enrolling_person(p_hash);
BEGIN
    DELETE FROM recovery_codes c WHERE c.user_id = person;
    INSERT INTO recovery_codes (user_id, code_hash, created_at)
        SELECT person, code, p_at FROM unnest(p_codes) code;
    PERFORM record_person('user/' || person, 'factor_codes_made', person,
        jsonb_build_object('codes', cardinality(p_codes)::text));
END
$$;

CREATE FUNCTION use_recovery_code(p_user text, p_code text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE recovery_codes c SET used_at = p_at
        WHERE c.user_id = p_user AND c.code_hash = p_code AND c.used_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM record_person('user/' || p_user, 'factor_code_used', p_user);
    RETURN true;
END
$$;

CREATE FUNCTION upgrade_password(p_user text, p_old text, p_new text) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE people p SET password_hash = p_new WHERE p.user_id = p_user AND p.password_hash = p_old;
    IF FOUND THEN
        PERFORM record_person('user/' || p_user, 'person_password_rehashed', p_user);
    END IF;
END
$$;

-- Every other session of the person ends with the old password.
CREATE FUNCTION change_password(p_hash text, p_new text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
BEGIN
    UPDATE people p SET password_hash = p_new WHERE p.user_id = person;
    UPDATE person_sessions s SET revoked_at = p_at, revoked_by = 'user/' || person
        WHERE s.user_id = person AND s.revoked_at IS NULL AND s.session_hash <> p_hash;
    PERFORM record_person('user/' || person, 'person_password_changed', person);
END
$$;
"""

STEP_UPS = """
CREATE FUNCTION ask_step_up(p_hash text, p_id text, p_purpose text, p_subject text, p_content text,
    p_nonce text, p_challenge text, p_at timestamptz
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
BEGIN
    INSERT INTO step_ups (step_up_id, user_id, session_id, purpose, subject, content, nonce,
            challenge, asked_at)
        SELECT p_id, person, s.session_id, p_purpose, p_subject, p_content, p_nonce, p_challenge,
            p_at
        FROM person_sessions s WHERE s.session_hash = p_hash;
END
$$;

CREATE FUNCTION step_up_asked(p_hash text, p_id text, p_at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT to_jsonb(u) FROM step_ups u WHERE u.step_up_id = p_id
        AND u.user_id = acting_person(p_hash) AND u.confirmed_at IS NULL
        AND u.asked_at > p_at - interval '5 minutes'
$$;

CREATE FUNCTION confirm_step_up(p_hash text, p_id text, p_method text, p_evidence jsonb,
    p_reference text, p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE step_ups u SET method = p_method, evidence = p_evidence, reference_hash = p_reference,
            confirmed_at = p_at
        WHERE u.step_up_id = p_id AND u.user_id = acting_person(p_hash)
            AND u.confirmed_at IS NULL AND u.asked_at > p_at - interval '5 minutes';
    RETURN FOUND;
END
$$;

-- Takes a confirmation for one action, once; a repeat of the same request finds it again. NULL when
-- it is none of this session, of this action, or too old.
CREATE FUNCTION take_step_up(p_hash text, p_reference text, p_purpose text, p_subject text,
    p_for text, p_at timestamptz
) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
    taken step_ups;
BEGIN
    SELECT u.* INTO taken FROM step_ups u JOIN person_sessions s USING (session_id)
        WHERE u.reference_hash = p_reference AND u.user_id = person AND s.session_hash = p_hash
            AND u.purpose = p_purpose AND u.subject = p_subject
            AND u.confirmed_at > p_at - interval '5 minutes'
        FOR UPDATE OF u;
    IF NOT FOUND OR (taken.used_at IS NOT NULL AND taken.used_for IS DISTINCT FROM p_for) THEN
        RETURN NULL;
    END IF;
    IF taken.used_at IS NULL THEN
        UPDATE step_ups u SET used_at = p_at, used_for = p_for
            WHERE u.step_up_id = taken.step_up_id;
        PERFORM record_person('user/' || person, 'step_up_used', person, jsonb_build_object(
            'step_up', taken.step_up_id, 'purpose', p_purpose, 'subject', p_subject,
            'method', taken.method, 'challenge', taken.challenge,
            'shows_content', (taken.method = 'passkey')::text));
    END IF;
    RETURN to_jsonb(taken) - 'reference_hash';
END
$$;
"""

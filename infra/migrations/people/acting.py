"""Who acts: the holder of the session or token whose hash a request has shown."""

ACTING = """
-- The person of a session that counts, by its hash; NULL when there is none.
CREATE FUNCTION person_of_session(p_hash text, p_standing text) RETURNS text LANGUAGE sql STABLE
AS $$
    SELECT s.user_id FROM person_sessions s JOIN people p USING (user_id)
    WHERE s.session_hash = p_hash AND s.standing = p_standing AND s.revoked_at IS NULL
        AND p.disabled_at IS NULL AND s.used_at > now() - interval '30 minutes'
        AND s.opened_at > now() - CASE s.standing WHEN 'full' THEN interval '12 hours'
            ELSE interval '10 minutes' END
$$;

CREATE FUNCTION acting_person(p_hash text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    person text := person_of_session(p_hash, 'full');
BEGIN
    IF person IS NULL THEN
        RAISE EXCEPTION 'no session of a person' USING ERRCODE = 'AE003';
    END IF;
    RETURN person;
END
$$;

CREATE FUNCTION is_director(p_user text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM person_grants g JOIN people p USING (user_id)
        WHERE g.user_id = p_user AND g.role = 'director' AND g.scope = '*'
        AND p.disabled_at IS NULL)
$$;

-- People are managed by those who are directors of all accounts.
CREATE FUNCTION acting_director(p_hash text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    person text := acting_person(p_hash);
BEGIN
    IF NOT is_director(person) THEN
        RAISE EXCEPTION 'only a director of all accounts manages people' USING ERRCODE = 'AE003';
    END IF;
    RETURN person;
END
$$;

CREATE FUNCTION record_person(
    p_actor text, p_action text, p_user text, p_details jsonb DEFAULT '{}'
) RETURNS void LANGUAGE sql AS $$
    SELECT write_audit('platform', p_actor, p_action,
        jsonb_build_object('user', 'user/' || p_user) || p_details, 'user/' || p_user)
$$;

-- As before, and besides for a person: their session, or a token of theirs.
CREATE OR REPLACE FUNCTION audit_actor(p_actor text, p_token_hash text) RETURNS text
LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    allowed boolean;
BEGIN
    CASE session_user
        WHEN 'aether_api' THEN
            allowed := p_actor = 'aether' OR EXISTS (
                SELECT FROM api_tokens t WHERE t.token_hash = p_token_hash AND t.name = p_actor
                    AND t.revoked_at IS NULL AND t.expires_at > now())
                OR p_actor = 'user/' || person_of_session(p_token_hash, 'full')
                OR EXISTS (SELECT FROM access_tokens t JOIN people p USING (user_id)
                    WHERE t.token_hash = p_token_hash AND p_actor = 'user/' || t.user_id
                    AND t.revoked_at IS NULL AND t.expires_at > now()
                    AND p.disabled_at IS NULL);
        WHEN 'aether_admin' THEN
            allowed := p_actor = 'aether' OR p_actor LIKE 'machine/%';
        WHEN 'aether_app' THEN
            allowed := p_actor NOT LIKE 'machine/%';
        ELSE
            allowed := pg_has_role(session_user, current_user, 'MEMBER');
    END CASE;
    IF allowed IS NOT TRUE THEN
        RAISE EXCEPTION '% may not write % as the author', session_user, p_actor
            USING ERRCODE = 'AE003';
    END IF;
    RETURN p_actor;
END
$$;

-- As before; what happens to people is written by their own functions alone, too.
CREATE OR REPLACE FUNCTION append_audit(
    p_account text, p_actor text, p_action text, p_names text[], p_values text[],
    p_correlation text, p_once boolean, p_token_hash text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry jsonb := jsonb_object(p_names, p_values);
    author text := audit_actor(p_actor, p_token_hash);
BEGIN
    IF p_action ~ '^(token|person|session|factor|access_token|enrolment|recovery|step_up)_'
        OR p_correlation LIKE 'kill-switch/%'
        AND p_action IN ('kill_switch_engaged', 'kill_switch_lifted')
    THEN
        RAISE EXCEPTION '% is written by its own function', p_action USING ERRCODE = 'AE003';
    END IF;
    IF p_once AND EXISTS (
        SELECT FROM audit_log a WHERE a.account_id = p_account AND a.correlation = p_correlation
        AND a.action = p_action AND a.actor = author AND a.details = entry)
    THEN
        RETURN;
    END IF;
    -- In the caller's scope: row-level security refuses another account's chain.
    INSERT INTO audit_log (account_id, actor, action, details, correlation)
        VALUES (p_account, author, p_action, entry, p_correlation);
END
$$;

CREATE FUNCTION grants_of(p_user text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_array(g.role, g.scope) ORDER BY g.role, g.scope), '[]')
    FROM person_grants g WHERE g.user_id = p_user
$$;

-- Whom a session belongs to, also one that has ended. When it was last used is kept by the minute.
CREATE FUNCTION session_of(p_hash text, p_at timestamptz) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    held person_sessions;
    person people;
BEGIN
    SELECT * INTO held FROM person_sessions s WHERE s.session_hash = p_hash;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO person FROM people p WHERE p.user_id = held.user_id;
    IF person.disabled_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF held.used_at < p_at - interval '1 minute'
        AND person_of_session(p_hash, held.standing) IS NOT NULL
    THEN
        UPDATE person_sessions s SET used_at = p_at WHERE s.session_hash = p_hash;
    END IF;
    RETURN to_jsonb(held) - 'session_hash' || jsonb_build_object('name', person.name,
        'display_name', person.display_name, 'grants', grants_of(held.user_id));
END
$$;

CREATE FUNCTION access_token_of(p_hash text, p_at timestamptz) RETURNS jsonb LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    held access_tokens;
    person people;
BEGIN
    SELECT * INTO held FROM access_tokens t WHERE t.token_hash = p_hash AND t.revoked_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO person FROM people p WHERE p.user_id = held.user_id;
    IF person.disabled_at IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF held.expires_at > p_at
        AND (held.last_used_at IS NULL OR held.last_used_at < p_at - interval '1 minute')
    THEN
        UPDATE access_tokens t SET last_used_at = p_at WHERE t.token_id = held.token_id;
    END IF;
    RETURN to_jsonb(held) - 'token_hash' || jsonb_build_object('name', person.name,
        'display_name', person.display_name, 'grants', grants_of(held.user_id));
END
$$;
"""

"""Making, changing and ending people, and the ways in for those who have none."""

PEOPLE = """
CREATE FUNCTION has_director() RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM person_grants g JOIN people p USING (user_id)
        WHERE g.role = 'director' AND g.scope = '*' AND p.disabled_at IS NULL)
$$;

-- The link of the first start. False when there is a director; an earlier link counts no more.
CREATE FUNCTION make_first_link(p_link text, p_at timestamptz, p_by text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.first_director'));
    IF has_director() THEN
        RETURN false;
    END IF;
    UPDATE enrolments e SET used_at = p_at WHERE e.purpose = 'first' AND e.used_at IS NULL;
    INSERT INTO enrolments (link_hash, purpose, created_at, created_by, expires_at)
        VALUES (p_link, 'first', p_at, p_by, p_at + interval '15 minutes');
    PERFORM write_audit('platform', audit_actor(p_by, ''), 'enrolment_link_made',
        jsonb_build_object('purpose', 'first'), '');
    RETURN true;
END
$$;

CREATE FUNCTION enrolment_of(p_link text, p_at timestamptz) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT to_jsonb(e) - 'link_hash' || jsonb_build_object('name', p.name,
        'display_name', p.display_name)
    FROM enrolments e LEFT JOIN people p USING (user_id)
    WHERE e.link_hash = p_link AND e.used_at IS NULL AND e.expires_at > p_at
        AND (e.purpose <> 'first' OR NOT has_director())
$$;

-- Takes a link, once, and opens a session that may add a factor and nothing else. NULL when the
-- link counts no more, or the name is taken. A reset keeps the password that the person has.
CREATE FUNCTION enrol(p_link text, p_user text, p_name text, p_display text, p_password text,
    p_session_hash text, p_session_id text, p_at timestamptz, p_address text, p_agent text
) RETURNS text LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    link enrolments;
    person text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.first_director'));
    SELECT * INTO link FROM enrolments e
        WHERE e.link_hash = p_link AND e.used_at IS NULL AND e.expires_at > p_at FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF link.purpose = 'first' THEN
        IF has_director() THEN
            RETURN NULL;
        END IF;
        person := p_user;
        INSERT INTO people (user_id, name, display_name, password_hash, may_enrol, created_at,
                created_by)
            VALUES (person, p_name, p_display, p_password, true, p_at, 'aether')
            ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        INSERT INTO person_grants (user_id, role, scope, granted_at, granted_by)
            SELECT person, role, '*', p_at, 'aether'
            FROM unnest(ARRAY['director', 'platform_administrator']) role;
        PERFORM record_person('aether', 'person_created', person,
            jsonb_build_object('name', p_name, 'grants', grants_of(person)::text));
    ELSE
        SELECT p.user_id INTO person FROM people p
            WHERE p.user_id = link.user_id AND p.disabled_at IS NULL FOR UPDATE;
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
        IF link.purpose IN ('invitation', 'recovery') THEN
            UPDATE people p SET password_hash = p_password WHERE p.user_id = person;
        END IF;
    END IF;
    UPDATE enrolments e SET used_at = p_at WHERE e.link_hash = p_link;
    PERFORM record_person('user/' || person, 'enrolment_begun', person,
        jsonb_build_object('purpose', link.purpose, 'address', p_address));
    INSERT INTO person_sessions (session_hash, session_id, user_id, standing, may_enrol, opened_at,
            used_at, address, agent)
        VALUES (p_session_hash, p_session_id, person, 'pending', true, p_at, p_at, p_address,
            p_agent);
    RETURN person;
END
$$;

-- For functions of the owner.
CREATE FUNCTION make_link(p_link text, p_purpose text, p_user text, p_at timestamptz, p_by text,
    p_life interval
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE enrolments e SET used_at = p_at WHERE e.user_id = p_user AND e.used_at IS NULL;
    INSERT INTO enrolments (link_hash, purpose, user_id, created_at, created_by, expires_at)
        VALUES (p_link, p_purpose, p_user, p_at, p_by, p_at + p_life);
    PERFORM record_person(p_by, 'enrolment_link_made', p_user,
        jsonb_build_object('purpose', p_purpose));
END
$$;

CREATE FUNCTION write_grants(p_user text, p_roles text[], p_scopes text[], p_at timestamptz,
    p_by text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.first_director'));
    DELETE FROM person_grants g WHERE g.user_id = p_user;
    INSERT INTO person_grants (user_id, role, scope, granted_at, granted_by)
        SELECT DISTINCT p_user, role, scope, p_at, p_by
        FROM unnest(p_roles, p_scopes) wanted (role, scope);
END
$$;

-- A new person sets a password by the link; nobody else ever knows it. False for a name in use.
CREATE FUNCTION invite_person(p_hash text, p_user text, p_name text, p_display text,
    p_roles text[], p_scopes text[], p_link text, p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    director text := 'user/' || acting_director(p_hash);
BEGIN
    INSERT INTO people (user_id, name, display_name, may_enrol, created_at, created_by)
        VALUES (p_user, p_name, p_display, false, p_at, director) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM write_grants(p_user, p_roles, p_scopes, p_at, director);
    PERFORM record_person(director, 'person_created', p_user,
        jsonb_build_object('name', p_name, 'grants', grants_of(p_user)::text));
    PERFORM make_link(p_link, 'invitation', p_user, p_at, director, interval '24 hours');
    RETURN true;
END
$$;

-- NULL where a change would leave nobody who is director of all accounts; false for nobody.
CREATE FUNCTION change_person(p_hash text, p_user text, p_display text, p_name text,
    p_roles text[], p_scopes text[], p_at timestamptz
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    director text := 'user/' || acting_director(p_hash);
    before jsonb;
BEGIN
    SELECT jsonb_build_object('name', p.name, 'display_name', p.display_name,
            'grants', grants_of(p_user)) INTO before
        FROM people p WHERE p.user_id = p_user AND p.disabled_at IS NULL FOR UPDATE;
    IF before IS NULL THEN
        RETURN false;
    END IF;
    UPDATE people p SET name = coalesce(p_name, p.name),
            display_name = coalesce(p_display, p.display_name)
        WHERE p.user_id = p_user;
    IF p_roles IS NOT NULL THEN
        PERFORM write_grants(p_user, p_roles, p_scopes, p_at, director);
        IF NOT has_director() THEN
            RAISE EXCEPTION 'the last director stays one' USING ERRCODE = 'AE004';
        END IF;
    END IF;
    PERFORM record_person(director, 'person_changed', p_user, jsonb_build_object(
        'before', before::text, 'name', coalesce(p_name, before->>'name'),
        'display_name', coalesce(p_display, before->>'display_name'),
        'grants', grants_of(p_user)::text));
    RETURN true;
END
$$;

CREATE FUNCTION disable_person(p_hash text, p_user text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    director text := 'user/' || acting_director(p_hash);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('aether.first_director'));
    UPDATE people p SET disabled_at = p_at, disabled_by = director
        WHERE p.user_id = p_user AND p.disabled_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF NOT has_director() THEN
        RAISE EXCEPTION 'the last director stays one' USING ERRCODE = 'AE004';
    END IF;
    PERFORM end_sessions(p_user, director, p_at);
    UPDATE access_tokens t SET revoked_at = p_at, revoked_by = director
        WHERE t.user_id = p_user AND t.revoked_at IS NULL;
    UPDATE enrolments e SET used_at = p_at WHERE e.user_id = p_user AND e.used_at IS NULL;
    PERFORM record_person(director, 'person_disabled', p_user);
    RETURN true;
END
$$;

-- By another director: the factors go, the password stays and is asked for with the link.
CREATE FUNCTION reset_factors(p_hash text, p_user text, p_link text, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    director text := acting_director(p_hash);
BEGIN
    IF director = p_user THEN
        RAISE EXCEPTION 'nobody resets factors of their own' USING ERRCODE = 'AE004';
    END IF;
    PERFORM FROM people p WHERE p.user_id = p_user AND p.disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM clear_factors(p_user, 'user/' || director, p_at);
    PERFORM make_link(p_link, 'reset', p_user, p_at, 'user/' || director, interval '24 hours');
    RETURN true;
END
$$;

CREATE FUNCTION clear_factors(p_user text, p_by text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person_factors f SET removed_at = p_at
        WHERE f.user_id = p_user AND f.removed_at IS NULL;
    DELETE FROM recovery_codes c WHERE c.user_id = p_user;
    PERFORM end_sessions(p_user, p_by, p_at);
    PERFORM record_person(p_by, 'factor_reset', p_user);
END
$$;

CREATE FUNCTION list_people(p_everyone boolean) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(p) - 'password_hash' - 'may_enrol' || jsonb_build_object(
        'grants', grants_of(p.user_id),
        'factors', (SELECT count(*) FROM person_factors f WHERE f.user_id = p.user_id
            AND f.confirmed_at IS NOT NULL AND f.removed_at IS NULL),
        'signed_in_at', (SELECT max(s.opened_at) FROM person_sessions s
            WHERE s.user_id = p.user_id AND s.standing = 'full'))
        ORDER BY p.created_at, p.user_id), '[]')
    FROM people p WHERE p_everyone OR p.disabled_at IS NULL
$$;

-- Brings a person from elsewhere; false when the name is known, who then stays as they are.
CREATE FUNCTION import_person(p_user text, p_name text, p_display text, p_password text,
    p_roles text[], p_scopes text[], p_at timestamptz, p_by text
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, '');
BEGIN
    IF EXISTS (SELECT FROM people p WHERE p.name = p_name) THEN
        RETURN false;
    END IF;
    INSERT INTO people (user_id, name, display_name, password_hash, may_enrol, created_at,
            created_by)
        VALUES (p_user, p_name, p_display, p_password, true, p_at, author);
    PERFORM write_grants(p_user, p_roles, p_scopes, p_at, author);
    PERFORM record_person(author, 'person_imported', p_user,
        jsonb_build_object('name', p_name, 'grants', grants_of(p_user)::text));
    RETURN true;
END
$$;
"""

DIRECTORS = """
-- The directors of an account, and whether each has fewer second factors than are needed.
CREATE FUNCTION directors_of(p_account text, p_needed integer)
RETURNS TABLE (name text, short boolean) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.name, (SELECT count(*) FROM person_factors f WHERE f.user_id = p.user_id
            AND f.confirmed_at IS NOT NULL AND f.removed_at IS NULL) < p_needed
    FROM people p WHERE p.disabled_at IS NULL AND EXISTS (SELECT FROM person_grants g
        WHERE g.user_id = p.user_id AND g.role = 'director' AND g.scope IN ('*', p_account))
    ORDER BY p.name
$$;
"""

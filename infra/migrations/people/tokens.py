"""API tokens of people, and what is done when any token has leaked."""

TOKENS = """
CREATE FUNCTION make_access_token(p_hash text, p_id text, p_token text, p_label text,
    p_scopes text[], p_accounts text[], p_at timestamptz, p_expires_at timestamptz
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
BEGIN
    INSERT INTO access_tokens (token_id, token_hash, user_id, label, scopes, accounts, created_at,
            expires_at)
        VALUES (p_id, p_token, person, p_label, p_scopes, p_accounts, p_at, p_expires_at);
    PERFORM record_person('user/' || person, 'access_token_made', person, jsonb_build_object(
        'token', p_id, 'scopes', array_to_string(p_scopes, ' '),
        'accounts', array_to_string(p_accounts, ' '), 'expires_at', p_expires_at::text));
END
$$;

CREATE FUNCTION list_access_tokens(p_hash text, p_everyone boolean) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(to_jsonb(t) - 'token_hash' ORDER BY t.created_at DESC), '[]')
    FROM access_tokens t WHERE t.user_id = acting_person(p_hash)
        OR p_everyone AND is_director(acting_person(p_hash))
$$;

CREATE FUNCTION revoke_access_token(p_hash text, p_id text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    person text := acting_person(p_hash);
    owner text;
BEGIN
    UPDATE access_tokens t SET revoked_at = p_at, revoked_by = 'user/' || person
        WHERE t.token_id = p_id AND t.revoked_at IS NULL
            AND (t.user_id = person OR is_director(person))
        RETURNING t.user_id INTO owner;
    IF owner IS NULL THEN
        RETURN false;
    END IF;
    PERFORM record_person('user/' || person, 'access_token_revoked', owner,
        jsonb_build_object('token', p_id));
    RETURN true;
END
$$;

-- Whatever was found where it should not be, of people or of the machine; names what it was.
CREATE FUNCTION revoke_leaked(p_hashes text[], p_at timestamptz, p_by text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, '');
    names text[] := '{}';
    one record;
BEGIN
    FOR one IN UPDATE access_tokens t SET revoked_at = p_at, revoked_by = author
        WHERE t.token_hash = ANY (p_hashes) AND t.revoked_at IS NULL
        RETURNING t.token_id, t.user_id, t.label
    LOOP
        PERFORM record_person(author, 'access_token_revoked', one.user_id,
            jsonb_build_object('token', one.token_id, 'why', 'leaked'));
        names := names || format('%s of user/%s', one.label, one.user_id);
    END LOOP;
    FOR one IN UPDATE api_tokens t SET revoked_at = p_at
        WHERE t.token_hash = ANY (p_hashes) AND t.revoked_at IS NULL RETURNING t.name
    LOOP
        PERFORM write_audit('platform', author, 'token_revoked',
            jsonb_build_object('name', one.name, 'why', 'leaked'), '');
        names := names || one.name;
    END LOOP;
    RETURN names;
END
$$;
"""

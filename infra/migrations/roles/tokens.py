"""Tokens: made, renewed and revoked by functions of the administrator's role; each one expires."""

# A token that an older version has made expires as if it were made now.
TOKENS = """
ALTER TABLE api_tokens ADD COLUMN expires_at timestamptz, ADD COLUMN last_used_at timestamptz;
UPDATE api_tokens SET expires_at = greatest(created_at, now()) + interval '90 days';
ALTER TABLE api_tokens ALTER COLUMN expires_at SET NOT NULL,
    ADD CONSTRAINT api_tokens_expire CHECK (
        expires_at > created_at AND revoked_at IS DISTINCT FROM 'infinity'
        AND isfinite(expires_at));

-- Who holds a token, by its hash; also one that has expired, which its holder is to be told. When
-- it was last used is kept by the minute: a token costs no write with each request.
CREATE FUNCTION token_of(p_hash text)
RETURNS TABLE (name text, role text, expires_at timestamptz) LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE api_tokens t SET last_used_at = now()
        WHERE t.token_hash = p_hash AND t.revoked_at IS NULL AND t.expires_at > now()
          AND (t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute');
    RETURN QUERY SELECT t.name, t.role, t.expires_at FROM api_tokens t
        WHERE t.token_hash = p_hash AND t.revoked_at IS NULL;
END
$$;

CREATE FUNCTION list_tokens() RETURNS TABLE (name text, role text, token_hash text,
    created_at timestamptz, expires_at timestamptz, last_used_at timestamptz,
    revoked_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.name, t.role, t.token_hash, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
    FROM api_tokens t ORDER BY t.created_at, t.name
$$;

-- False when the name exists, or existed.
CREATE FUNCTION create_token(
    p_name text, p_role text, p_hash text, p_at timestamptz, p_expires_at timestamptz, p_by text
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO api_tokens (name, role, token_hash, created_at, expires_at)
        VALUES (p_name, p_role, p_hash, p_at, p_expires_at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM write_audit('platform', audit_actor(p_by, ''), 'token_created',
        jsonb_build_object('name', p_name, 'role', p_role, 'expires_at', p_expires_at::text), '');
    RETURN true;
END
$$;

-- False when there is no such token, or it was revoked: what was taken away never comes back.
CREATE FUNCTION renew_token(p_name text, p_expires_at timestamptz, p_by text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE api_tokens t SET expires_at = p_expires_at
        WHERE t.name = p_name AND t.revoked_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM write_audit('platform', audit_actor(p_by, ''), 'token_renewed',
        jsonb_build_object('name', p_name, 'expires_at', p_expires_at::text), '');
    RETURN true;
END
$$;

CREATE FUNCTION revoke_token(p_name text, p_at timestamptz, p_by text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE api_tokens t SET revoked_at = p_at WHERE t.name = p_name AND t.revoked_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM write_audit('platform', audit_actor(p_by, ''), 'token_revoked',
        jsonb_build_object('name', p_name), '');
    RETURN true;
END
$$;
"""

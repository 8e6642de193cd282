"""Writing the audit: one function, which takes the author from who is connected.

``session_user`` is the role that a process connected as; inside a function of the owner it is the
only one that the caller cannot choose. The API shows the hash of the token that it was shown: the
author is that token's holder, whatever the API says.
"""

AUDIT = """
-- Who may be written as the author of an audit row by whom, or AE003.
CREATE FUNCTION audit_actor(p_actor text, p_token_hash text) RETURNS text LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    allowed boolean;
BEGIN
    CASE session_user
        WHEN 'aether_api' THEN
            allowed := p_actor = 'aether' OR EXISTS (
                SELECT FROM api_tokens t WHERE t.token_hash = p_token_hash AND t.name = p_actor
                    AND t.revoked_at IS NULL AND t.expires_at > now());
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

-- For functions of the owner only. Leaves the transaction in the scope of the account.
CREATE FUNCTION write_audit(
    p_account text, p_actor text, p_action text, p_details jsonb, p_correlation text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('aether.account_id', p_account, true);
    INSERT INTO audit_log (account_id, actor, action, details, correlation)
        VALUES (p_account, p_actor, p_action, p_details, p_correlation);
END
$$;

-- What tokens and kill switches have done to them is written by their own functions alone.
CREATE FUNCTION append_audit(
    p_account text, p_actor text, p_action text, p_names text[], p_values text[],
    p_correlation text, p_once boolean, p_token_hash text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry jsonb := jsonb_object(p_names, p_values);
    author text := audit_actor(p_actor, p_token_hash);
BEGIN
    IF p_action LIKE 'token\\_%' OR p_correlation LIKE 'kill-switch/%'
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
"""

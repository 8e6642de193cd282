"""Searching the record across accounts, newest first, page by page.

As the owner, because row-level security would keep a search for words from its index. The caller
says in which accounts to search: the API those that whoever asks may see.
"""

SEARCH = """
CREATE FUNCTION search_audit(
    p_accounts text[], p_since timestamptz, p_until timestamptz, p_actor text, p_action text,
    p_correlation text, p_words text, p_before_at timestamptz, p_before_index bigint,
    p_limit integer
) RETURNS TABLE (leaf_index bigint, account_id text, sequence bigint, recorded_at timestamptz,
    actor text, action text, details jsonb, correlation text, context jsonb, previous_hash text,
    hash text) LANGUAGE plpgsql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted text := 'TRUE';
BEGIN
    -- Only what is asked for stands in the statement, so that each search gets a plan of its own.
    IF p_accounts IS NOT NULL THEN wanted := wanted || ' AND l.account_id = ANY ($1)'; END IF;
    IF p_since IS NOT NULL THEN wanted := wanted || ' AND l.recorded_at >= $2'; END IF;
    IF p_until IS NOT NULL THEN wanted := wanted || ' AND l.recorded_at < $3'; END IF;
    IF p_actor IS NOT NULL THEN wanted := wanted || ' AND l.actor = $4'; END IF;
    IF p_action IS NOT NULL THEN wanted := wanted || ' AND l.action = $5'; END IF;
    IF p_words IS NOT NULL THEN
        wanted := wanted || ' AND l.words @@ plainto_tsquery(''simple'', $7)';
    END IF;
    IF p_before_at IS NOT NULL THEN
        wanted := wanted || ' AND (l.recorded_at, l.leaf_index) < ($8, $9)';
    END IF;
    -- A request's own rows, and all of the trades that came of it.
    IF p_correlation IS NOT NULL THEN
        wanted := wanted || ' AND (l.correlation = $6 OR l.request = $6 AND l.request <> ''''
            OR (l.correlation, l.account_id) IN (
                SELECT ''trade/'' || (a.details->>''trade''), a.account_id
                FROM audit_leaves r JOIN audit_log a USING (account_id, sequence)
                WHERE r.request = $6 AND r.request <> '''' AND a.details ? ''trade''))';
    END IF;
    RETURN QUERY EXECUTE 'SELECT l.leaf_index, a.account_id, a.sequence, a.recorded_at, a.actor,
            a.action, a.details, a.correlation, a.context, a.previous_hash, a.hash
        FROM (SELECT * FROM audit_leaves l WHERE ' || wanted || '
            ORDER BY l.recorded_at DESC, l.leaf_index DESC LIMIT $10) l
        JOIN audit_log a USING (account_id, sequence)
        ORDER BY l.recorded_at DESC, l.leaf_index DESC'
        USING p_accounts, p_since, p_until, p_actor, p_action, p_correlation, p_words, p_before_at,
            p_before_index, p_limit;
END
$$;

REVOKE EXECUTE ON FUNCTION search_audit(text[], timestamptz, timestamptz, text, text, text, text,
    timestamptz, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_audit(text[], timestamptz, timestamptz, text, text, text, text,
    timestamptz, bigint, integer) TO aether_api;
"""

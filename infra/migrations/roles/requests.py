"""Answered requests are kept for a time, not for ever."""

REQUESTS = """
CREATE INDEX requests_by_age ON requests (created_at);
CREATE POLICY owner_retention ON requests TO CURRENT_USER USING (true);

-- Deletes the oldest requests, never one younger than thirty days, and returns how many.
CREATE FUNCTION prune_requests(p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM requests WHERE ctid = ANY (ARRAY(
        SELECT r.ctid FROM requests r
        WHERE r.created_at < least(p_before, now() - interval '30 days')
        ORDER BY r.created_at LIMIT p_limit));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
"""

"""Change freezes begun by hand, and what was changed through broken glass until it is reviewed."""

FREEZE = """
CREATE TABLE change_freezes (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason text NOT NULL,
    begun_by text NOT NULL,
    begun_at timestamptz NOT NULL,
    ended_by text,
    ended_at timestamptz,
    end_reason text
);
CREATE TABLE freeze_breaks (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    operation text NOT NULL,
    path text NOT NULL,
    held_by text NOT NULL,
    reason text NOT NULL,
    broken_by text NOT NULL,
    broken_at timestamptz NOT NULL,
    reviewed_by text CHECK (reviewed_by <> broken_by),
    reviewed_at timestamptz,
    review text
);
REVOKE INSERT, UPDATE, DELETE ON change_freezes, freeze_breaks FROM aether_app, aether_api;
GRANT SELECT ON change_freezes, freeze_breaks TO aether_app;

CREATE FUNCTION begin_freeze(p_by text, p_at timestamptz, p_token_hash text, p_reason text)
RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
    made integer;
BEGIN
    INSERT INTO change_freezes (reason, begun_by, begun_at) VALUES (p_reason, author, p_at)
        RETURNING number INTO made;
    PERFORM write_audit('platform', author, 'freeze_began',
        jsonb_build_object('number', made::text, 'reason', p_reason), 'freeze/' || made);
    RETURN made;
END
$$;

-- False for one that is unknown or over.
CREATE FUNCTION end_freeze(p_number integer, p_by text, p_at timestamptz, p_token_hash text,
    p_reason text
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
BEGIN
    UPDATE change_freezes SET ended_by = author, ended_at = p_at, end_reason = p_reason
        WHERE number = p_number AND ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM write_audit('platform', author, 'freeze_ended',
        jsonb_build_object('number', p_number::text, 'reason', p_reason), 'freeze/' || p_number);
    RETURN true;
END
$$;

-- Only people break the glass. A repeated request is the same break.
CREATE FUNCTION break_freeze(p_request text, p_operation text, p_path text, p_held_by text,
    p_reason text, p_by text, p_at timestamptz, p_token_hash text
) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
    made integer;
BEGIN
    IF author NOT LIKE 'user/%' THEN
        RAISE EXCEPTION '% is no person and breaks no glass', author USING ERRCODE = 'AE003';
    END IF;
    INSERT INTO freeze_breaks (request_id, operation, path, held_by, reason, broken_by, broken_at)
        VALUES (p_request, p_operation, p_path, p_held_by, p_reason, author, p_at)
        ON CONFLICT DO NOTHING RETURNING number INTO made;
    IF made IS NOT NULL THEN
        PERFORM write_audit('platform', author, 'freeze_broken', jsonb_build_object(
            'number', made::text, 'operation', p_operation, 'path', p_path, 'held_by', p_held_by,
            'reason', p_reason), 'freeze-break/' || made);
    END IF;
END
$$;

-- By another person. False for one that is unknown, reviewed, or one's own.
CREATE FUNCTION review_break(p_number integer, p_by text, p_at timestamptz, p_token_hash text,
    p_review text
) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    author text := audit_actor(p_by, p_token_hash);
BEGIN
    UPDATE freeze_breaks SET reviewed_by = author, reviewed_at = p_at, review = p_review
        WHERE number = p_number AND reviewed_at IS NULL AND broken_by <> author
            AND author LIKE 'user/%';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM write_audit('platform', author, 'freeze_break_reviewed',
        jsonb_build_object('number', p_number::text, 'review', p_review),
        'freeze-break/' || p_number);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION begin_freeze(text, timestamptz, text, text),
    end_freeze(integer, text, timestamptz, text, text),
    break_freeze(text, text, text, text, text, text, timestamptz, text),
    review_break(integer, text, timestamptz, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_freeze(text, timestamptz, text, text),
    end_freeze(integer, text, timestamptz, text, text),
    break_freeze(text, text, text, text, text, text, timestamptz, text),
    review_break(integer, text, timestamptz, text, text) TO aether_api;
"""

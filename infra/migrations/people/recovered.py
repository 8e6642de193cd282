"""A recovered director is as new as an invited one: what follows a recovery took one person."""

RECOVERED = """
-- As before; and whoever was recovered at the machine counts as director from now on, by the
-- database's own clock. Where money is at stake everybody else has a day to see it.
CREATE OR REPLACE FUNCTION take_recovery(p_id text, p_link text, p_at timestamptz, p_by text)
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
    UPDATE person_grants SET granted_at = clock_timestamp() WHERE user_id = person;
    PERFORM make_link(p_link, 'recovery', person, p_at, author, interval '15 minutes');
    PERFORM record_person(author, 'recovery_taken', person, jsonb_build_object('recovery', p_id));
    RETURN person;
END
$$;
"""

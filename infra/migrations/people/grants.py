"""Which role calls which function: the API what people do, the administrator what the machine does.

Nobody calls what the others are made of.
"""

API = (
    "session_of(text, timestamptz)",
    "access_token_of(text, timestamptz)",
    "person_named(text)",
    "open_pending_session(text, text, text, timestamptz, text, text)",
    "replace_session(text, text, timestamptz, text)",
    "revoke_session(text, text, timestamptz)",
    "list_sessions(text, text)",
    "prune_sessions(timestamptz)",
    "set_session_challenge(text, text)",
    "take_session_challenge(text)",
    "factors_of(text)",
    "add_factor(text, text, text, text, text, text, text, bigint, timestamptz)",
    "confirm_factor(text, text, bigint, timestamptz)",
    "use_factor(text, bigint, bigint, timestamptz)",
    "remove_factor(text, text, timestamptz)",
    "replace_recovery_codes(text, text[], timestamptz)",
    "use_recovery_code(text, text, timestamptz)",
    "upgrade_password(text, text, text)",
    "change_password(text, text, timestamptz)",
    "ask_step_up(text, text, text, text, text, text, text, timestamptz)",
    "step_up_asked(text, text, timestamptz)",
    "confirm_step_up(text, text, text, jsonb, text, timestamptz)",
    "take_step_up(text, text, text, text, text, timestamptz)",
    "has_director()",
    "enrolment_of(text, timestamptz)",
    "enrol(text, text, text, text, text, text, text, timestamptz, text, text)",
    "invite_person(text, text, text, text, text[], text[], text, timestamptz)",
    "change_person(text, text, text, text, text[], text[], timestamptz)",
    "disable_person(text, text, timestamptz)",
    "reset_factors(text, text, text, timestamptz)",
    "list_people(boolean)",
    "make_access_token(text, text, text, text, text[], text[], timestamptz, timestamptz)",
    "list_access_tokens(text, boolean)",
    "revoke_access_token(text, text, timestamptz)",
    "cancel_recovery(text, text, timestamptz)",
    "list_recoveries()",
)
ADMIN = (
    "has_director()",
    "list_people(boolean)",
    "make_first_link(text, timestamptz, text)",
    "import_person(text, text, text, text, text[], text[], timestamptz, text)",
    "revoke_leaked(text[], timestamptz, text)",
    "ask_recovery(text, text, timestamptz, text)",
    "take_recovery(text, text, timestamptz, text)",
    "list_recoveries()",
)
INNER = (
    "person_of_session(text, text)",
    "acting_person(text)",
    "acting_director(text)",
    "is_director(text)",
    "record_person(text, text, text, jsonb)",
    "grants_of(text)",
    "end_sessions(text, text, timestamptz)",
    "enrolling_person(text)",
    "make_link(text, text, text, timestamptz, text, interval)",
    "write_grants(text, text[], text[], timestamptz, text)",
    "clear_factors(text, text, timestamptz)",
)


def statements() -> str:
    """Return the SQL that takes every function from everybody and gives each to whom it is for."""
    every = ", ".join(dict.fromkeys((*API, *ADMIN, *INNER)))
    return f"""
        REVOKE EXECUTE ON FUNCTION {every} FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION {", ".join(API)} TO aether_api;
        GRANT EXECUTE ON FUNCTION {", ".join(ADMIN)} TO aether_admin;
        REVOKE EXECUTE ON FUNCTION people_directory(), directors_of(text, integer) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION directors_of(text, integer) TO aether_app, aether_api;
        GRANT EXECUTE ON FUNCTION people_directory()
            TO aether_api, aether_reader, aether_admin, aether_app;
    """


DIRECTORY = """
-- Who is meant by an actor, for whoever reads the record: no more than that.
CREATE FUNCTION people_directory() RETURNS TABLE (actor text, name text, display_name text,
    disabled_at timestamptz) LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT 'user/' || p.user_id, p.name, p.display_name, p.disabled_at FROM people p
$$;
"""

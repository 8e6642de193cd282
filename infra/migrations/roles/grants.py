"""What each process's role may do. ``aether_app`` is that of the workers that trade.

``aether_api`` reads the record and writes requests and what people decide; ``aether_reader`` reads;
``aether_admin`` sets accounts up and makes tokens, for whoever works on the machine;
``aether_exchange`` asks which accounts trade live. Tokens are read and written by functions alone.
"""

GRANTS = """
CREATE FUNCTION live_account_ids() RETURNS SETOF text LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT account_id FROM accounts WHERE mode = 'live' ORDER BY account_id
$$;

REVOKE EXECUTE ON FUNCTION token_of(text), list_tokens(), revoke_token(text, timestamptz, text),
    renew_token(text, timestamptz, text),
    create_token(text, text, text, timestamptz, timestamptz, text),
    audit_actor(text, text), write_audit(text, text, text, jsonb, text),
    append_audit(text, text, text, text[], text[], text, boolean, text),
    audit_kill_switch(integer, text[], text, text, jsonb),
    engage_kill_switch(integer, text[], boolean, text, text, timestamptz, text),
    acknowledge_kill_switch(integer, text, text),
    request_kill_switch_lift(integer, text, timestamptz, text),
    lift_kill_switch(integer, timestamptz), prune_requests(timestamptz, integer),
    live_account_ids() FROM PUBLIC;

REVOKE ALL ON api_tokens FROM aether_app;
REVOKE INSERT, UPDATE ON kill_switches FROM aether_app;
REVOKE INSERT ON audit_log FROM aether_app;

GRANT EXECUTE ON FUNCTION append_audit(text, text, text, text[], text[], text, boolean, text)
    TO aether_app, aether_api, aether_admin;
GRANT EXECUTE ON FUNCTION
    engage_kill_switch(integer, text[], boolean, text, text, timestamptz, text)
    TO aether_app, aether_api;
GRANT EXECUTE ON FUNCTION acknowledge_kill_switch(integer, text, text),
    lift_kill_switch(integer, timestamptz) TO aether_app;
GRANT EXECUTE ON FUNCTION request_kill_switch_lift(integer, text, timestamptz, text),
    token_of(text), prune_requests(timestamptz, integer) TO aether_api;
GRANT EXECUTE ON FUNCTION list_tokens(), revoke_token(text, timestamptz, text),
    renew_token(text, timestamptz, text),
    create_token(text, text, text, timestamptz, timestamptz, text) TO aether_admin;
GRANT EXECUTE ON FUNCTION live_account_ids() TO aether_exchange;
GRANT EXECUTE ON FUNCTION account_ids() TO aether_api, aether_reader, aether_admin;

-- Tables that later migrations make are readable too; what is written is granted one by one.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO aether_api, aether_reader, aether_admin;
REVOKE ALL ON api_tokens, api_key_nonces FROM aether_api, aether_reader, aether_admin;
-- What verifies isolation looks at every table that has an account.
GRANT SELECT ON api_key_nonces TO aether_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT ON TABLES TO aether_api, aether_reader, aether_admin;

GRANT INSERT, UPDATE, DELETE ON requests TO aether_api;
GRANT USAGE ON SEQUENCE kill_switch_numbers TO aether_api;
GRANT INSERT ON platform_settings_versions, universe_changes, universe_versions,
    going_live_requests TO aether_api;
GRANT UPDATE (pairs, refreshed_at) ON universe_versions TO aether_api;
GRANT UPDATE (outcome, decided_by, decided_at) ON universe_changes TO aether_api;
GRANT UPDATE (approved_by, approved_at) ON going_live_requests TO aether_api;

GRANT INSERT ON accounts, platform_settings TO aether_admin;
"""

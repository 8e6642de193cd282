"""Events of the record: one row for each change that a screen shows, numbered in commit order.

A number is drawn under the account's row lock when the transaction commits (the triggers are
deferred), and the lock is held until it has: whoever sees number n sees all below it, and a reader
that goes on from n misses nothing. A bare sequence would let a late commit fill in below n.

Triggers write which thing has changed, never its content. The notification names the account alone
and is sent once per transaction: what is new is read from the table.
"""

TABLES = """
CREATE TABLE record_event_heads (
    account_id text PRIMARY KEY,
    sequence bigint NOT NULL
);
CREATE TABLE record_events (
    account_id text NOT NULL,
    sequence bigint NOT NULL,
    topic text NOT NULL,
    subject text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, sequence)
);
CREATE INDEX record_events_at ON record_events (account_id, at);
"""

FUNCTIONS = """
-- Arguments: topic, column of the subject ('' for none). Rows of no account are the platform's.
-- The scope is set for the rest of the transaction, which is being committed.
CREATE FUNCTION record_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry jsonb := to_jsonb(COALESCE(NEW, OLD));
    owner text := COALESCE(entry->>'account_id', 'platform');
    drawn bigint;
BEGIN
    PERFORM set_config('aether.account_id', owner, true);
    INSERT INTO record_event_heads AS head (account_id, sequence) VALUES (owner, 1)
        ON CONFLICT (account_id) DO UPDATE SET sequence = head.sequence + 1
        RETURNING sequence INTO drawn;
    INSERT INTO record_events (account_id, sequence, topic, subject)
        VALUES (owner, drawn, TG_ARGV[0], COALESCE(entry->>TG_ARGV[1], ''));
    PERFORM pg_notify('aether_record', owner);
    RETURN NULL;
END
$$;

CREATE FUNCTION market_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aether_market', '');
    RETURN NULL;
END
$$;

CREATE FUNCTION sessions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aether_sessions', '');
    RETURN NULL;
END
$$;

-- Forgets events before a time, and returns how many.
CREATE FUNCTION prune_record_events(p_before timestamptz) RETURNS bigint LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    scope text;
    counted bigint;
    total bigint := 0;
BEGIN
    FOR scope IN SELECT account_ids() UNION ALL SELECT 'platform' LOOP
        PERFORM set_config('aether.account_id', scope, true);
        -- The newest stays: it is what a cursor at the end is compared with.
        DELETE FROM record_events WHERE at < p_before AND sequence < (
            SELECT sequence FROM record_event_heads WHERE account_id = scope)
            AND account_id = scope;
        GET DIAGNOSTICS counted = ROW_COUNT;
        total := total + counted;
    END LOOP;
    PERFORM set_config('aether.account_id', '', true);
    RETURN total;
END
$$;
REVOKE EXECUTE ON FUNCTION record_changed(), prune_record_events(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_record_events(timestamptz) TO aether_api;
-- What verifies isolation looks at every table that has an account.
GRANT SELECT ON record_event_heads, record_events TO aether_app;
"""

WATCHED = (
    ("accounts", "accounts", ""),
    ("balances", "balances", "asset"),
    ("orders", "orders", "trade"),
    ("fills", "fills", "trade"),
    ("trades", "trades", "number"),
    ("approvals", "approvals", "approval_id"),
    ("hedge_reviews", "hedge", ""),
    ("trading_days", "days", "day"),
    ("capital_flows", "flows", "flow_id"),
    ("account_settings", "settings", "version"),
    ("mode_changes", "mode", "mode"),
    ("going_live_requests", "mode", "number"),
    ("audit_log", "audit", "action"),
    ("kill_switches", "kill-switch", "number"),
    ("universe_versions", "universe", "version"),
    ("universe_changes", "universe", "number"),
    ("platform_settings_versions", "platform-settings", "version"),
)
"""Table, topic, and the column that says which thing it is."""

# A constraint trigger is the kind that can wait for the commit. An update that changes nothing is
# no event.
TRIGGER = """
CREATE CONSTRAINT TRIGGER {table}_record_inserted AFTER INSERT ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION record_changed('{topic}', '{subject}');
CREATE CONSTRAINT TRIGGER {table}_record_updated AFTER UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION record_changed('{topic}', '{subject}');
"""

OTHERS = """
CREATE TRIGGER market_snapshots_changed AFTER INSERT OR UPDATE ON market_snapshots
    FOR EACH STATEMENT EXECUTE FUNCTION market_changed();
CREATE TRIGGER api_tokens_changed AFTER UPDATE OF revoked_at, expires_at ON api_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION sessions_changed();
"""

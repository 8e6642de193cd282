"""The outbox of events: what other systems are told, with its content, numbered in commit order.

Its triggers are disabled until a bridge switches them on, so that who tells nobody pays nothing.
As with ``record_events``, a number is drawn under the account's row lock when the transaction
commits: who has sent number n has sent all below it. The bridge's own progress is in a table of its
own, which no writer of the record locks: a bridge that hangs holds nobody up.

The outbox is bounded. Beyond its room an event is counted as lost, and its number is missing.
"""

TABLES = """
CREATE TABLE event_switch (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    is_on boolean NOT NULL,
    room integer NOT NULL CHECK (room > 0),
    epoch integer NOT NULL,
    switched_at timestamptz NOT NULL
);
INSERT INTO event_switch VALUES (true, false, 100000, 1, now());
-- Held are all that were ever put into the outbox, removed all that the broker has: both only grow,
-- each written by one side alone.
CREATE TABLE event_heads (
    account_id text PRIMARY KEY,
    sequence bigint NOT NULL,
    held bigint NOT NULL,
    lost bigint NOT NULL
);
CREATE TABLE event_cursors (
    account_id text PRIMARY KEY,
    sequence bigint NOT NULL,
    removed bigint NOT NULL,
    sent_at timestamptz NOT NULL
);
CREATE TABLE event_outbox (
    account_id text NOT NULL,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    content jsonb NOT NULL,
    PRIMARY KEY (account_id, sequence)
);
"""

OWNED = ("event_heads", "event_cursors", "event_outbox")

FUNCTIONS = """
CREATE FUNCTION event_content(entry jsonb, columns text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_object_agg(key, value) FROM jsonb_each(entry) WHERE key = ANY (columns) $$;

-- Arguments: kind, columns of its content divided by commas. An update that changes none of them
-- is no event.
CREATE FUNCTION event_happened() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry jsonb := to_jsonb(NEW);
    columns text[] := string_to_array(TG_ARGV[1], ',');
    fresh jsonb := event_content(entry, columns);
    owner text := COALESCE(entry->>'account_id', 'platform');
    head event_heads;
    room bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND event_content(to_jsonb(OLD), columns) = fresh THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('aether.account_id', owner, true);
    -- In the order in which the record's own events lock, so that no two wait for each other.
    PERFORM FROM record_event_heads WHERE account_id = owner FOR UPDATE;
    INSERT INTO event_heads VALUES (owner, 0, 0, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM event_heads WHERE account_id = owner FOR UPDATE;
    SELECT s.room + COALESCE((SELECT removed FROM event_cursors WHERE account_id = owner), 0)
        INTO room FROM event_switch s;
    IF head.held < room THEN
        INSERT INTO event_outbox
            VALUES (owner, head.sequence + 1, TG_ARGV[0], clock_timestamp(), fresh);
        UPDATE event_heads SET sequence = sequence + 1, held = held + 1 WHERE account_id = owner;
    ELSE
        UPDATE event_heads SET sequence = sequence + 1, lost = lost + 1 WHERE account_id = owner;
    END IF;
    RETURN NULL;
END
$$;

-- Switches the triggers of all watched tables on or off, and returns whether anything changed.
-- Writers wait behind a lock that is waited for: who cannot have one at once is told so, gives all
-- of them back, and tries again.
CREATE FUNCTION switch_events(p_on boolean, p_room integer) RETURNS boolean LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    was_on boolean;
    scope text;
    watching record;
BEGIN
    SELECT is_on INTO was_on FROM event_switch FOR UPDATE;
    UPDATE event_switch SET room = p_room WHERE room <> p_room;
    IF was_on = p_on THEN
        RETURN false;
    END IF;
    FOR watching IN SELECT t.tgname, c.relname FROM pg_trigger t
            JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE p.proname = 'event_happened' ORDER BY c.relname, t.tgname LOOP
        EXECUTE format('ALTER TABLE %I %s TRIGGER %I', watching.relname,
            CASE WHEN p_on THEN 'ENABLE' ELSE 'DISABLE' END, watching.tgname);
    END LOOP;
    UPDATE event_switch SET is_on = p_on, switched_at = clock_timestamp();
    IF NOT p_on THEN
        -- What nobody asks for any more is not kept; it is counted as lost.
        FOR scope IN SELECT account_ids() UNION ALL SELECT 'platform' LOOP
            PERFORM set_config('aether.account_id', scope, true);
            UPDATE event_heads h SET lost = h.lost + waiting.rows,
                held = h.held - waiting.rows
                FROM (SELECT count(*) AS rows FROM event_outbox) waiting;
            DELETE FROM event_outbox;
        END LOOP;
        PERFORM set_config('aether.account_id', '', true);
    END IF;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION event_content(jsonb, text[]), event_happened(),
    switch_events(boolean, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION switch_events(boolean, integer) TO aether_events, aether_admin;
GRANT EXECUTE ON FUNCTION account_ids() TO aether_events;
GRANT SELECT ON event_switch, event_heads, event_cursors, event_outbox TO aether_events;
GRANT DELETE ON event_outbox TO aether_events;
GRANT INSERT, UPDATE ON event_cursors TO aether_events;
GRANT SELECT ON platform_settings TO aether_events;
-- What verifies isolation looks at every table that has an account.
GRANT SELECT ON event_heads, event_cursors, event_outbox TO aether_app;
"""

WATCHED = (
    (
        "orders",
        "order",
        (
            "account_id,client_order_id,order_id,trade,leg,symbol,side,order_type,quantity,limit_price,"
            "trigger_price,status,filled_quantity,average_price,cost,fee,reason,intended_at,"
            "acknowledged_at,ended_at"
        ),
    ),
    (
        "fills",
        "fill",
        (
            "account_id,execution_id,order_id,trade,symbol,side,quantity,price,cost,fee,maker,"
            "exchange_time,recorded_at"
        ),
    ),
    (
        "trades",
        "trade",
        (
            "account_id,number,symbol,phase,source,quantity,stop_price,take_profit_price,bought,sold,"
            "average_entry_price,average_exit_price,fees,pnl,exit_reason,settings_version,basis,"
            "decided_at,opened_at,closed_at"
        ),
    ),
    ("accounts", "halts", "account_id,mode,halts"),
    (
        "ideas",
        "idea",
        (
            "account_id,idea_id,strategy,strategy_version,symbol,bar_start,expires_at,stop_price,"
            "take_profit_price,target_weight,allowed,trade,decided_at"
        ),
    ),
    ("account_settings", "settings", "account_id,version,changes,author,reason,approved_by,at"),
    ("platform_settings_versions", "settings", "version,changes,author,reason,approved_by,at"),
    (
        "kill_switches",
        "kill_switch",
        "number,accounts,flatten,reason,engaged_by,engaged_at,lifted_by,lifted_at",
    ),
)
"""Table, kind of event, and the columns of its content. A column more is compatible; a column less
or with another meaning is a new version of the kind (``models/contracts/events.py``)."""

# Named so that it fires after the record's own triggers.
TRIGGER = """
CREATE CONSTRAINT TRIGGER {table}_told AFTER INSERT OR UPDATE ON {table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION event_happened('{kind}', '{columns}');
ALTER TABLE {table} DISABLE TRIGGER {table}_told;
"""

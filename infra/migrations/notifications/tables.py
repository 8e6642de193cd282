"""Tables of notifications.

Only ``aether_notifier`` counts occurrences and writes deliveries; the API writes what people say:
channels, quiet hours and acknowledgements, each with its row of the record. ``scope`` is an account
or ``platform``: what is told of every account stands in one list.
"""

TABLES = """
CREATE TABLE notifications (
    notification_id text PRIMARY KEY,
    key text NOT NULL,
    event text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('information', 'warning', 'critical')),
    scope text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    runbook text NOT NULL,
    recipients text[] NOT NULL,
    since timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    occurrences integer NOT NULL CHECK (occurrences > 0),
    acknowledged_at timestamptz,
    acknowledged_by text,
    resolved_at timestamptz,
    closed_at timestamptz,
    closed_because text,
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((closed_at IS NULL) = (closed_because IS NULL))
);
-- Of one incident at most one notification counts.
CREATE UNIQUE INDEX notifications_open ON notifications (key) WHERE closed_at IS NULL;
CREATE INDEX notifications_since ON notifications (since, notification_id);

CREATE TABLE notification_occurrences (
    occurrence_id text PRIMARY KEY,
    notification_id text NOT NULL REFERENCES notifications,
    at timestamptz NOT NULL
);

CREATE TABLE notification_channels (
    channel_id text PRIMARY KEY,
    user_id text NOT NULL REFERENCES people,
    kind text NOT NULL CHECK (kind IN ('email', 'sms', 'webhook', 'chat')),
    label text NOT NULL,
    address text NOT NULL,
    minimum text NOT NULL CHECK (minimum IN ('information', 'warning', 'critical')),
    events text[] NOT NULL,
    created_at timestamptz NOT NULL,
    removed_at timestamptz
);
CREATE INDEX notification_channels_of ON notification_channels (user_id) WHERE removed_at IS NULL;

CREATE TABLE notification_deliveries (
    delivery_id text PRIMARY KEY,
    notification_id text NOT NULL REFERENCES notifications,
    channel_id text NOT NULL REFERENCES notification_channels,
    level integer NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
    tries integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    reason text NOT NULL
);
CREATE INDEX notification_deliveries_of ON notification_deliveries (notification_id);
CREATE INDEX notification_deliveries_by ON notification_deliveries (channel_id, last_at);

CREATE TABLE notification_quiet_hours (
    user_id text PRIMARY KEY REFERENCES people,
    begins text NOT NULL,
    ends text NOT NULL,
    zone text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- How far each chain of the record has been looked at. What was recorded before is not told.
CREATE TABLE notification_cursors (
    scope text PRIMARY KEY,
    sequence bigint NOT NULL
);
INSERT INTO notification_cursors (scope, sequence) SELECT account_id, sequence FROM audit_heads;
"""

FUNCTIONS = """
-- Rows of every chain that nobody has looked at, in the order of their chains.
CREATE FUNCTION notification_pending(p_limit integer) RETURNS TABLE (scope text, sequence bigint,
    action text, actor text, correlation text, details jsonb, at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.account_id, a.sequence, a.action, a.actor, a.correlation, a.details, a.recorded_at
    FROM audit_heads h
    LEFT JOIN notification_cursors c ON c.scope = h.account_id
    CROSS JOIN LATERAL (SELECT * FROM audit_log l WHERE l.account_id = h.account_id
        AND l.sequence > coalesce(c.sequence, 0) ORDER BY l.sequence LIMIT p_limit) a
    WHERE h.sequence > coalesce(c.sequence, 0)
    ORDER BY a.account_id, a.sequence LIMIT p_limit
$$;

-- How many rows nobody has looked at yet: they grow while the notifying process is dead.
CREATE FUNCTION notification_backlog() RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(greatest(0, h.sequence - coalesce(c.sequence, 0))), 0)::bigint
    FROM audit_heads h LEFT JOIN notification_cursors c ON c.scope = h.account_id
$$;

-- Everybody who may act, with what they have been granted.
CREATE FUNCTION notification_people() RETURNS TABLE (user_id text, name text, grants jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.user_id, p.name, grants_of(p.user_id) FROM people p
    WHERE p.disabled_at IS NULL ORDER BY p.user_id
$$;

REVOKE EXECUTE ON FUNCTION notification_pending(integer), notification_backlog(),
    notification_people() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION notification_pending(integer), notification_people()
    TO aether_notifier;
GRANT EXECUTE ON FUNCTION notification_backlog() TO aether_notifier, aether_api, aether_reader;
"""

GRANTS = """
GRANT SELECT, INSERT ON notifications, notification_occurrences, notification_deliveries
    TO aether_notifier;
GRANT UPDATE (severity, title, detail, last_at, occurrences, resolved_at, closed_at,
    closed_because) ON notifications TO aether_notifier;
GRANT UPDATE ON notification_deliveries TO aether_notifier;
GRANT SELECT, INSERT, UPDATE ON notification_cursors TO aether_notifier;
GRANT SELECT ON notification_channels, notification_quiet_hours TO aether_notifier;
GRANT SELECT ON platform_settings_versions, platform_settings TO aether_notifier;
GRANT EXECUTE ON FUNCTION append_audit(text, text, text, text[], text[], text, boolean, text)
    TO aether_notifier;

GRANT SELECT ON notifications, notification_deliveries, notification_channels,
    notification_quiet_hours TO aether_api;
GRANT UPDATE (acknowledged_at, acknowledged_by) ON notifications TO aether_api;
GRANT INSERT ON notification_channels, notification_quiet_hours TO aether_api;
GRANT UPDATE (removed_at) ON notification_channels TO aether_api;
GRANT UPDATE ON notification_quiet_hours TO aether_api;
"""

# Acknowledged once, by whoever was first; what is acknowledged stays so.
GUARD = """
CREATE FUNCTION keep_acknowledgement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.acknowledged_at IS NOT NULL AND (NEW.acknowledged_at IS DISTINCT FROM
        OLD.acknowledged_at OR NEW.acknowledged_by IS DISTINCT FROM OLD.acknowledged_by)
    THEN
        RAISE EXCEPTION 'the notification was acknowledged before' USING ERRCODE = 'AE004';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER notifications_acknowledged_once BEFORE UPDATE ON notifications
    FOR EACH ROW EXECUTE FUNCTION keep_acknowledgement();
"""

NOTIFIER = "        WHEN 'aether_notifier' THEN\n            allowed := p_actor = 'aether';\n"
ADMIN = "        WHEN 'aether_admin' THEN\n"

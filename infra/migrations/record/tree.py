"""The Merkle tree over the rows of all chains, in the order in which they were found committed.

``audit_leaves`` gives each row its place; its other columns are what a search goes by, so that
writers of the record pay for no index but their own. ``audit_nodes`` keeps the whole subtrees above
the leaves. Only ``aether_recorder`` writes here, and only by adding.
"""

TREE = """
CREATE TABLE audit_leaves (
    leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
    account_id text NOT NULL,
    sequence bigint NOT NULL,
    leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32),
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    correlation text NOT NULL,
    request text NOT NULL,
    words tsvector NOT NULL,
    UNIQUE (account_id, sequence)
);
CREATE INDEX audit_leaves_recorded ON audit_leaves (recorded_at, leaf_index);
CREATE INDEX audit_leaves_account ON audit_leaves (account_id, recorded_at, leaf_index);
CREATE INDEX audit_leaves_actor ON audit_leaves (actor, recorded_at, leaf_index);
CREATE INDEX audit_leaves_action ON audit_leaves (action, recorded_at, leaf_index);
CREATE INDEX audit_leaves_correlation ON audit_leaves (correlation, account_id);
CREATE INDEX audit_leaves_request ON audit_leaves (request) WHERE request <> '';
CREATE INDEX audit_leaves_words ON audit_leaves USING gin (words);

CREATE TABLE audit_nodes (
    level smallint NOT NULL CHECK (level > 0),
    node_index bigint NOT NULL CHECK (node_index >= 0),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, node_index)
);

-- Signed with a key that is not in the database: one for each size of the tree, the newest of it.
CREATE TABLE audit_checkpoints (
    size bigint PRIMARY KEY CHECK (size >= 0),
    at timestamptz NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    cosigned boolean NOT NULL
);

CREATE TRIGGER audit_leaves_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_nodes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_leaves ENABLE ALWAYS TRIGGER audit_leaves_append_only;
ALTER TABLE audit_nodes ENABLE ALWAYS TRIGGER audit_nodes_append_only;
ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_kept;

CREATE FUNCTION audit_words(entry audit_log) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_to_tsvector('simple', entry.details, '["string", "numeric"]')
        || to_tsvector('simple', translate(
            concat_ws(' ', entry.actor, entry.action, entry.correlation), '_/:', '   '))
$$;

-- Who keeps the tree reads every chain, and what people search for is read by the owner's function.
CREATE POLICY recorder_reads ON audit_log FOR SELECT TO aether_recorder USING (true);
CREATE POLICY recorder_reads ON audit_heads FOR SELECT TO aether_recorder USING (true);
CREATE POLICY recorder_writes ON audit_leaves TO aether_recorder
    USING (true) WITH CHECK (true);
CREATE POLICY owner_searches ON audit_log FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_searches ON audit_leaves FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY owner_counts ON audit_heads FOR SELECT TO CURRENT_USER USING (true);

-- How many rows there are is told to everybody; what is in them is not.
CREATE FUNCTION audit_row_count() RETURNS bigint LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(sequence), 0)::bigint FROM audit_heads
$$;
REVOKE EXECUTE ON FUNCTION audit_row_count() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_row_count()
    TO aether_app, aether_api, aether_reader, aether_recorder;

GRANT SELECT ON audit_log, audit_heads, audit_leaves, audit_nodes, audit_checkpoints
    TO aether_recorder;
GRANT INSERT ON audit_leaves, audit_nodes, audit_checkpoints TO aether_recorder;
GRANT UPDATE (at, reason, note, cosigned) ON audit_checkpoints TO aether_recorder;
GRANT EXECUTE ON FUNCTION account_ids() TO aether_recorder;
GRANT SELECT ON platform_settings TO aether_recorder;
GRANT SELECT ON audit_checkpoints, audit_leaves TO aether_app;
"""

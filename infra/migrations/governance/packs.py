"""Evidence packs that people ask for: made by whoever holds the record's key, read by the API."""

PACKS = """
CREATE TABLE evidence_packs (
    pack_id text PRIMARY KEY,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    account text,
    since timestamptz,
    until timestamptz,
    state text NOT NULL CHECK (state IN ('queued', 'ready', 'refused', 'expired')),
    reason text NOT NULL,
    rows bigint,
    tree_size bigint,
    ended_at timestamptz
);
CREATE INDEX evidence_packs_requested ON evidence_packs (requested_at DESC);
CREATE TABLE evidence_pack_files (
    pack_id text NOT NULL REFERENCES evidence_packs,
    name text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (pack_id, name)
);
-- Packs hold rows of accounts: for whoever makes them, and for the API, which asks for the right.
REVOKE SELECT ON evidence_pack_files, evidence_packs FROM aether_reader, aether_admin;
GRANT INSERT ON evidence_packs TO aether_api;
GRANT SELECT, UPDATE (state, reason, rows, tree_size, ended_at) ON evidence_packs
    TO aether_recorder;
GRANT SELECT, INSERT, UPDATE (content), DELETE ON evidence_pack_files TO aether_recorder;
"""

"""Keep the universe, correlation groups, stress runs and what going live rests on.

Revision ID: 0006
Revises: 0002
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0006"
down_revision = "0002"
branch_labels = None
depends_on = None

MARKET = """
CREATE TABLE universe_versions (
    version integer PRIMARY KEY CHECK (version > 0),
    pairs jsonb NOT NULL,
    author text NOT NULL,
    approved_by text NOT NULL,
    reason text NOT NULL,
    joins text[] NOT NULL,
    leaves text[] NOT NULL,
    at timestamptz NOT NULL,
    refreshed_at timestamptz NOT NULL
);
CREATE TABLE universe_proposals (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    based_on integer NOT NULL,
    joins jsonb NOT NULL,
    leaves text[] NOT NULL,
    verdicts jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE TABLE universe_changes (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_id text NOT NULL UNIQUE,
    proposal integer REFERENCES universe_proposals,
    version integer NOT NULL,
    joins text[] NOT NULL,
    leaves text[] NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('waiting', 'applied', 'refused')),
    decided_by text,
    decided_at timestamptz
);
CREATE TABLE correlations (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    market_time timestamptz,
    target text NOT NULL,
    groups jsonb NOT NULL,
    estimates jsonb NOT NULL
);
"""

ACCOUNTS = """
ALTER TABLE accounts ADD COLUMN strategy_results jsonb NOT NULL DEFAULT '{}';
CREATE TABLE stress_runs (
    account_id text NOT NULL REFERENCES accounts,
    run_id text NOT NULL,
    requested_by text NOT NULL,
    at timestamptz NOT NULL,
    market_time timestamptz,
    equity numeric NOT NULL,
    worst_loss numeric NOT NULL,
    breaches integer NOT NULL,
    unpriced jsonb NOT NULL,
    shocks jsonb NOT NULL,
    results jsonb NOT NULL,
    PRIMARY KEY (account_id, run_id)
);
CREATE INDEX stress_runs_by_time ON stress_runs (account_id, at);
CREATE TABLE going_live_requests (
    account_id text NOT NULL REFERENCES accounts,
    number integer NOT NULL,
    requested_by text NOT NULL,
    reason text NOT NULL,
    requested_at timestamptz NOT NULL,
    approved_by text CHECK (approved_by <> requested_by),
    approved_at timestamptz,
    used_at timestamptz,
    PRIMARY KEY (account_id, number)
);
CREATE TABLE mode_changes (
    account_id text NOT NULL REFERENCES accounts,
    at timestamptz NOT NULL,
    mode text NOT NULL CHECK (mode IN ('simulated', 'live')),
    changed_by text NOT NULL,
    market_time timestamptz,
    verdict jsonb,
    PRIMARY KEY (account_id, at)
);
"""

# What was decided stays: of a version only the day's minimums and status are brought up to date.
GRANTS = """
GRANT SELECT, INSERT ON universe_versions, universe_proposals, universe_changes, correlations,
    stress_runs, going_live_requests, mode_changes TO aether_app;
GRANT UPDATE (pairs, refreshed_at) ON universe_versions TO aether_app;
GRANT UPDATE (outcome, decided_by, decided_at) ON universe_changes TO aether_app;
GRANT UPDATE (approved_by, approved_at, used_at) ON going_live_requests TO aether_app;
"""


def upgrade() -> None:
    op.execute(MARKET)
    op.execute(ACCOUNTS)
    for table in ("stress_runs", "going_live_requests", "mode_changes"):
        op.execute(ISOLATION.format(table=table))
    op.execute(GRANTS)

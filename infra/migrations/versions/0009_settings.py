"""Keep every version of the settings, and with each trade what it was decided by.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE account_settings (
    account_id text NOT NULL REFERENCES accounts,
    version integer NOT NULL CHECK (version > 0),
    settings jsonb NOT NULL,
    changes jsonb NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    approved_by text CHECK (approved_by <> author),
    at timestamptz NOT NULL,
    PRIMARY KEY (account_id, version)
);
CREATE TABLE platform_settings_versions (
    version integer PRIMARY KEY CHECK (version > 0),
    request_id text NOT NULL UNIQUE,
    settings jsonb NOT NULL,
    changes jsonb NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    approved_by text CHECK (approved_by <> author),
    at timestamptz NOT NULL
);
CREATE TABLE entry_assessments (
    account_id text NOT NULL REFERENCES accounts,
    trade integer NOT NULL,
    settings_version integer NOT NULL,
    platform_version integer NOT NULL,
    assessment jsonb NOT NULL,
    PRIMARY KEY (account_id, trade)
);
ALTER TABLE trades ADD COLUMN settings_version integer NOT NULL DEFAULT 0;
"""

# What was in force, and what was decided by it, is never rewritten.
GRANTS = """
GRANT SELECT, INSERT ON account_settings, platform_settings_versions, entry_assessments
    TO aether_app;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("account_settings", "entry_assessments"):
        op.execute(ISOLATION.format(table=table))
    op.execute(GRANTS)

"""Let a model that has passed the gate decide in shadow, before people are asked about it.

Revision ID: 0038_shadow
Revises: 0037_bound_confirmations
"""

from alembic import op

revision = "0038_shadow"
down_revision = "0037_bound_confirmations"
branch_labels = None
depends_on = None
expand_only = True

# What a shadow decides stands among the decisions, so that its features are replayed and its
# outcomes found as a champion's are; it is never taken.
TABLES = """
ALTER TABLE champion_predictions ADD COLUMN shadow boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT shadow_takes_nothing CHECK (NOT (shadow AND taken));
CREATE TABLE shadows (
    run_id text PRIMARY KEY REFERENCES training_runs,
    version integer NOT NULL REFERENCES model_versions,
    wanted integer NOT NULL CHECK (wanted > 0), began_at timestamptz NOT NULL);
CREATE TABLE shadow_ends (
    run_id text PRIMARY KEY REFERENCES shadows, decisions integer NOT NULL,
    reason text NOT NULL, ended_at timestamptz NOT NULL);
"""
GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT SELECT, INSERT ON {table} TO aether_learning;
GRANT SELECT ON {table} TO aether_market;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("shadows", "shadow_ends"):
        op.execute(GUARD.format(table=table))

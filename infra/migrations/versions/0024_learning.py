"""Keep every trial, verdict and champion, append-only, in the hands of a role of their own.

Revision ID: 0024_learning
Revises: 0023_record_tree
"""

from alembic import op

from infra.migrations.people.acting import ACTING

revision = "0024_learning"
down_revision = "0023_record_tree"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE training_runs (
    run_id text PRIMARY KEY, requested_by text NOT NULL, reason text NOT NULL,
    data_hash text NOT NULL, question text NOT NULL, feature_hash text NOT NULL,
    code_version text NOT NULL, samples integer NOT NULL, planned integer NOT NULL,
    started_at timestamptz NOT NULL);
CREATE TABLE trials (
    data_hash text, question text, trial text,
    run_id text NOT NULL REFERENCES training_runs, begins bigint NOT NULL,
    period_seconds integer NOT NULL, net jsonb NOT NULL, costs jsonb NOT NULL,
    calibration jsonb, failures jsonb NOT NULL, milliseconds bigint NOT NULL,
    finished_at timestamptz NOT NULL, PRIMARY KEY (data_hash, question, trial));
CREATE TABLE training_verdicts (
    run_id text PRIMARY KEY REFERENCES training_runs, passed boolean NOT NULL, candidate text,
    reasons jsonb NOT NULL, findings jsonb NOT NULL, judged_at timestamptz NOT NULL);
CREATE TABLE champions (
    number integer PRIMARY KEY, model text NOT NULL, previous text NOT NULL,
    changed_by text NOT NULL, reason text NOT NULL, changed_at timestamptz NOT NULL);
INSERT INTO champions VALUES (1, 'no-trade', 'no-trade', 'aether', 'the default', now());
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'AE004';
END
$$;
"""

GUARDED = ("training_runs", "trials", "training_verdicts", "champions")
GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# The learning worker writes in the audit as the platform only: no person asks it directly.
MACHINE = "        WHEN 'aether_admin' THEN\n"
LEARNING = "        WHEN 'aether_learning' THEN\n            allowed := p_actor = 'aether';\n"

GRANTS = """
GRANT SELECT, INSERT ON training_runs, trials, training_verdicts, champions TO aether_learning;
GRANT EXECUTE ON FUNCTION append_audit(text, text, text, text[], text[], text, boolean, text)
    TO aether_learning;
GRANT SELECT ON champions TO aether_app, aether_market;
GRANT INSERT ON champions TO aether_api;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(APPEND_ONLY)
    for table in GUARDED:
        op.execute(GUARD.format(table=table))
    op.execute(_actor())
    op.execute(GRANTS)


def _actor() -> str:
    """Return the function that names who may be written as an author, with the new role."""
    begins = ACTING.index("CREATE OR REPLACE FUNCTION audit_actor")
    function = ACTING[begins:].partition("\n$$;")[0] + "\n$$;"
    return function.replace(MACHINE, LEARNING + MACHINE, 1)

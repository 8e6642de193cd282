"""Keep models, their decisions and what came of them; give the registry of models a schema.

Revision ID: 0027_champions_decide
Revises: 0026_history
"""

from alembic import op

revision = "0027_champions_decide"
down_revision = "0026_history"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE model_versions (
    version integer PRIMARY KEY, run_id text NOT NULL UNIQUE, trial text NOT NULL,
    sha256 text NOT NULL, signature text NOT NULL, feature_hash text NOT NULL,
    data_hash text NOT NULL, code_version text NOT NULL, registered_at timestamptz NOT NULL);
CREATE TABLE champion_predictions (
    idea_id text PRIMARY KEY, version integer NOT NULL, feature_hash text NOT NULL,
    symbol text NOT NULL, bar_start timestamptz NOT NULL, vector jsonb NOT NULL,
    probability numeric, stake numeric, taken boolean NOT NULL,
    refusal text NOT NULL, hard boolean NOT NULL, microseconds integer NOT NULL,
    contributions jsonb NOT NULL, regime text NOT NULL, decided_at timestamptz NOT NULL,
    CHECK (refusal <> '' OR (probability IS NOT NULL AND stake IS NOT NULL)));
CREATE INDEX champion_predictions_of_model ON champion_predictions (version, bar_start);
CREATE TABLE prediction_outcomes (
    idea_id text PRIMARY KEY REFERENCES champion_predictions, net numeric NOT NULL,
    ended_at timestamptz NOT NULL);
CREATE TABLE feature_replays (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, began_at timestamptz NOT NULL,
    compared integer NOT NULL, unavailable integer NOT NULL, differing jsonb NOT NULL,
    worst numeric NOT NULL);
CREATE TABLE advisor_transcripts (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id text NOT NULL, asked_by text NOT NULL, question text NOT NULL,
    template text NOT NULL, answer text NOT NULL, sources jsonb NOT NULL,
    asked_at timestamptz NOT NULL);
ALTER TABLE ideas ADD COLUMN equity_share numeric, ADD COLUMN hold_maximum interval,
    ADD COLUMN model text NOT NULL DEFAULT '', ADD COLUMN feature_hash text NOT NULL DEFAULT '';
"""

GUARDED = (
    "model_versions",
    "champion_predictions",
    "prediction_outcomes",
    "feature_replays",
    "advisor_transcripts",
)
GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

GRANTS = """
GRANT SELECT, INSERT ON model_versions, prediction_outcomes, feature_replays TO aether_learning;
GRANT SELECT ON champion_predictions, candles TO aether_learning;
GRANT SELECT ON model_versions, feature_replays TO aether_market;
GRANT SELECT, INSERT ON champion_predictions TO aether_market;
GRANT INSERT ON advisor_transcripts TO aether_api;
-- The probe of isolation looks at every table that has an account, as the role that trades.
GRANT SELECT ON advisor_transcripts TO aether_app;
"""

# Transcripts are an account's own: nobody reads those of another.
SECURITY = """
ALTER TABLE advisor_transcripts ENABLE ROW LEVEL SECURITY;
ALTER TABLE advisor_transcripts FORCE ROW LEVEL SECURITY;
CREATE POLICY account_scope ON advisor_transcripts
    USING (account_id = current_setting('aether.account_id', true))
    WITH CHECK (account_id = current_setting('aether.account_id', true));
"""

# MLflow makes its tables itself. Only its own role gets there, and it gets nowhere else.
REGISTRY = """
CREATE SCHEMA mlflow;
GRANT USAGE, CREATE ON SCHEMA mlflow TO aether_registry;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in GUARDED:
        op.execute(GUARD.format(table=table))
    op.execute(GRANTS)
    op.execute(SECURITY)
    op.execute(REGISTRY)

"""Keep backtests that people ask for, with what they came to, and reports made on a schedule.

Revision ID: 0030_backtests
Revises: 0029_notifications
"""

from alembic import op

from infra.migrations.first.security import ISOLATION
from infra.migrations.live.events import TRIGGER

revision = "0030_backtests"
down_revision = "0029_notifications"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE backtests (
    run_id text PRIMARY KEY, requested_by text NOT NULL, requested_at timestamptz NOT NULL,
    asked jsonb NOT NULL,
    state text NOT NULL
        CHECK (state IN ('queued', 'running', 'finished', 'refused', 'cancelled')),
    stage text NOT NULL, done integer NOT NULL, planned integer NOT NULL, reason text NOT NULL,
    started_at timestamptz, ended_at timestamptz, cancelled_by text);
CREATE INDEX backtests_requested ON backtests (requested_at DESC);
CREATE TABLE backtest_results (
    run_id text REFERENCES backtests, number integer, document jsonb NOT NULL,
    PRIMARY KEY (run_id, number));
CREATE TABLE backtest_pages (
    run_id text PRIMARY KEY REFERENCES backtests, html text NOT NULL);

-- What has ended stays as it ended, and what was asked is never another.
CREATE FUNCTION keep_backtest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('finished', 'refused', 'cancelled') THEN
        RAISE EXCEPTION 'backtest % has ended', OLD.run_id USING ERRCODE = 'AE004';
    END IF;
    IF (NEW.asked, NEW.requested_by, NEW.requested_at)
        IS DISTINCT FROM (OLD.asked, OLD.requested_by, OLD.requested_at) THEN
        RAISE EXCEPTION 'what backtest % was asked stays', OLD.run_id USING ERRCODE = 'AE004';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_backtest BEFORE UPDATE ON backtests
    FOR EACH ROW EXECUTE FUNCTION keep_backtest();
"""

REPORTS = """
CREATE TABLE reports (
    account_id text NOT NULL REFERENCES accounts, number bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL, since timestamptz NOT NULL, until timestamptz NOT NULL,
    made_at timestamptz NOT NULL, document jsonb NOT NULL,
    PRIMARY KEY (account_id, number), UNIQUE (account_id, kind, until));
"""

GUARD = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

GRANTS = """
GRANT SELECT, UPDATE (state, stage, done, planned, reason, started_at, ended_at)
    ON backtests TO aether_learning;
GRANT SELECT, INSERT ON backtest_results, backtest_pages TO aether_learning;
GRANT SELECT ON candles TO aether_learning;
GRANT SELECT, INSERT ON reports TO aether_learning;
-- What verifies isolation looks at every table that has an account.
GRANT SELECT ON reports TO aether_app;
GRANT INSERT, UPDATE (state, reason, ended_at, cancelled_by) ON backtests TO aether_api;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(REPORTS)
    op.execute(ISOLATION.format(table="reports"))
    for table in ("backtest_results", "backtest_pages", "reports"):
        op.execute(GUARD.format(table=table))
    op.execute(TRIGGER.format(table="backtests", topic="backtests", subject="run_id"))
    op.execute(TRIGGER.format(table="reports", topic="reports", subject="kind"))
    op.execute(GRANTS)

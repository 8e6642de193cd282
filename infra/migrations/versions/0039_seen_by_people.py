"""Keep where stops and targets have stood, and what the last check for going live found.

Revision ID: 0039_seen_by_people
Revises: 0038_shadow
"""

from alembic import op

from infra.migrations.first.security import ISOLATION
from infra.migrations.live.events import TRIGGER

revision = "0039_seen_by_people"
down_revision = "0038_shadow"
branch_labels = None
depends_on = None
expand_only = True

LEVELS = """
CREATE TABLE trade_levels (
    account_id text NOT NULL REFERENCES accounts, number integer NOT NULL,
    at timestamptz NOT NULL, market_time timestamptz,
    stop_price numeric NOT NULL, take_profit_price numeric,
    PRIMARY KEY (account_id, number, at));
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trade_levels
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Whoever writes a trade writes this too: no path can forget it. The market's time is that of the
-- newest price of the pair, which is where a chart shows the move.
CREATE FUNCTION keep_trade_levels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trade_levels VALUES (NEW.account_id, NEW.number, NEW.updated_at,
        (SELECT observed_at FROM market_snapshots WHERE symbol = NEW.symbol),
        NEW.stop_price, NEW.take_profit_price)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_levels_of_new AFTER INSERT ON trades
    FOR EACH ROW EXECUTE FUNCTION keep_trade_levels();
CREATE TRIGGER keep_levels_of_moved AFTER UPDATE OF stop_price, take_profit_price ON trades
    FOR EACH ROW WHEN ((OLD.stop_price, OLD.take_profit_price)
        IS DISTINCT FROM (NEW.stop_price, NEW.take_profit_price))
    EXECUTE FUNCTION keep_trade_levels();
GRANT SELECT, INSERT ON trade_levels TO aether_app;
"""

CHECKS = """
CREATE TABLE going_live_checks (
    account_id text PRIMARY KEY REFERENCES accounts,
    checked_at timestamptz NOT NULL, checked_by text NOT NULL, facts jsonb NOT NULL);
GRANT SELECT ON going_live_checks TO aether_app;
GRANT INSERT, UPDATE ON going_live_checks TO aether_api;
"""


def upgrade() -> None:
    op.execute(LEVELS)
    op.execute(CHECKS)
    for table in ("trade_levels", "going_live_checks"):
        op.execute(ISOLATION.format(table=table))
    op.execute(TRIGGER.format(table="going_live_checks", topic="mode", subject=""))
    op.execute(
        TRIGGER.format(table="market_quality_events", topic="market-doubts", subject="symbol")
    )
    op.execute(TRIGGER.format(table="correlations", topic="correlations", subject="number"))

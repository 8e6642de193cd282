"""Keep what each version of a strategy has earned, and on what each entry rests.

Revision ID: 0017_evidence
Revises: 0016_lots
"""

from alembic import op

from infra.migrations.first.security import ISOLATION

revision = "0017_evidence"
down_revision = "0016_lots"
branch_labels = None
depends_on = None

# A backtest's results belong to the platform. What an account's trade came to may be corrected by
# an execution that is learned of late; nothing is ever taken away.
TABLE = """
CREATE TABLE strategy_results (
    strategy text NOT NULL,
    strategy_version text NOT NULL,
    source text NOT NULL CHECK (source IN ('live', 'shadow', 'simulation', 'backtest')),
    reference text NOT NULL,
    account_id text NOT NULL,
    trade integer,
    symbol text NOT NULL,
    move numeric NOT NULL CHECK (move <> 'NaN' AND abs(move) < 'Infinity'),
    net numeric NOT NULL CHECK (net <> 'NaN' AND abs(net) < 'Infinity'),
    exit_reason text,
    closed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (strategy, strategy_version, source, reference)
);
CREATE INDEX strategy_results_newest
    ON strategy_results (strategy, strategy_version, source, closed_at DESC);
CREATE INDEX strategy_results_of_account ON strategy_results (account_id, closed_at);
"""

# The market worker hands ideas out with the evidence of their version, which is that of all
# accounts; whose a result is, it does not see.
GRANTS = """
GRANT SELECT, INSERT ON strategy_results TO aether_app;
GRANT UPDATE (move, net, exit_reason, closed_at, recorded_at) ON strategy_results TO aether_app;
GRANT SELECT (strategy, strategy_version, source, symbol, move, net, closed_at)
    ON strategy_results TO aether_market;
CREATE POLICY market_evidence ON strategy_results FOR SELECT TO aether_market USING (true);
"""

# An idea says nothing any more of what may be expected of it: one standard deviation was no
# expectation.
ENTRIES = """
ALTER TABLE ideas DROP COLUMN expected_move;
ALTER TABLE market_snapshots ADD COLUMN measured_at timestamptz,
    ADD COLUMN daily_volatility numeric,
    ADD COLUMN bar_minutes integer NOT NULL DEFAULT 1;
ALTER TABLE trades ADD COLUMN basis text NOT NULL DEFAULT 'unstated';
ALTER TABLE going_live_requests ADD COLUMN overrides_evidence boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ISOLATION.format(table="strategy_results"))
    op.execute(GRANTS)
    op.execute(ENTRIES)

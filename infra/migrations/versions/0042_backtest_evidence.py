"""Let backtests add what they prove to the evidence of a strategy's version.

Revision ID: 0042_backtest_evidence
Revises: 0041_lift_asked_again
"""

from alembic import op

from infra.migrations.governance.proven import WRITES_SINCE, append_audit
from infra.migrations.people.acting import ACTING

revision = "0042_backtest_evidence"
down_revision = "0041_lift_asked_again"
branch_labels = None
depends_on = None
expand_only = True

# Research adds results of backtests, and nothing that an account is said to have earned.
GRANTS = """
GRANT INSERT ON strategy_results TO aether_learning;
GRANT SELECT (strategy, strategy_version, source, symbol, closed_at, account_id)
    ON strategy_results TO aether_learning;
CREATE POLICY backtests_only ON strategy_results AS RESTRICTIVE FOR ALL TO aether_learning
    USING (source = 'backtest' AND account_id = 'platform')
    WITH CHECK (source = 'backtest' AND account_id = 'platform' AND trade IS NULL);
"""


def upgrade() -> None:
    op.execute(GRANTS)
    op.execute(append_audit(ACTING, WRITES_SINCE))

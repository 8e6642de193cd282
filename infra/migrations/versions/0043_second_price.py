"""Keep with the figures of a pair how far a second source's price lies from them.

Revision ID: 0043_second_price
Revises: 0042_backtest_evidence
"""

from alembic import op

revision = "0043_second_price"
down_revision = "0042_backtest_evidence"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    op.execute("ALTER TABLE market_snapshots ADD COLUMN second_apart numeric")

"""Have TimescaleDB keep longer bars of the history, where it is there and licensed for it.

Revision ID: 0034_continuous_aggregates
Revises: 0033_market_data_work
"""

from alembic import op

from infra.migrations.history.aggregates import FUNCTION, continuous_aggregates

revision = "0034_continuous_aggregates"
down_revision = "0033_market_data_work"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(continuous_aggregates())

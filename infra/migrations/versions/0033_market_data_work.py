"""Keep how data from outside is brought on a schedule, and the market's mood with it.

Revision ID: 0033_market_data_work
Revises: 0032_exchange_keys
"""

from alembic import op

from infra.migrations.history.data_work import DATA_WORK, SENTIMENT

revision = "0033_market_data_work"
down_revision = "0032_exchange_keys"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    op.execute(DATA_WORK)
    op.execute(SENTIMENT)

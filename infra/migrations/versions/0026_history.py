"""Keep recorded candles of any venue, how each batch of them was judged, and where they came from.

Revision ID: 0026_history
Revises: 0025_governance
"""

from alembic import op

from infra.migrations.history.candles import AGGREGATES, GRANTS, HISTORY, TRADES
from infra.migrations.history.quality import FIGURES, QUALITY, SANCTIONS

revision = "0026_history"
down_revision = "0025_governance"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    op.execute(HISTORY)
    op.execute(TRADES)
    op.execute(AGGREGATES)
    op.execute(GRANTS)
    op.execute(QUALITY)
    op.execute(FIGURES)
    op.execute(SANCTIONS)

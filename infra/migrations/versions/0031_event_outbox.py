"""An outbox of events for systems outside, bounded, and switched off until a bridge is started.

Revision ID: 0031_event_outbox
Revises: 0030_backtests
"""

from alembic import op

from infra.migrations.events.outbox import FUNCTIONS, OWNED, TABLES, TRIGGER, WATCHED
from infra.migrations.first.security import ISOLATION

revision = "0031_event_outbox"
down_revision = "0030_backtests"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    op.execute(TABLES)
    for table in OWNED:
        op.execute(ISOLATION.format(table=table))
    op.execute(FUNCTIONS)
    for table, kind, columns in WATCHED:
        op.execute(TRIGGER.format(table=table, kind=kind, columns=columns))

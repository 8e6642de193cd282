"""Number the changes of the record in commit order and tell of them, for live screens.

Revision ID: 0019_record_events
Revises: 0018_people
"""

from alembic import op

from infra.migrations.first.security import ISOLATION
from infra.migrations.live.events import FUNCTIONS, OTHERS, TABLES, TRIGGER, WATCHED

revision = "0019_record_events"
down_revision = "0018_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("record_event_heads", "record_events"):
        op.execute(ISOLATION.format(table=table))
    op.execute(FUNCTIONS)
    for table, topic, subject in WATCHED:
        op.execute(TRIGGER.format(table=table, topic=topic, subject=subject))
    op.execute(OTHERS)

"""Lift kill switches by two people, stop single pairs, and keep what requests for approval carry.

Revision ID: 0025_governance
Revises: 0024_learning
"""

from alembic import op

from infra.migrations.first.functions import ORDERS
from infra.migrations.first.security import ISOLATION
from infra.migrations.governance.approvals import APPROVALS
from infra.migrations.governance.freeze import FREEZE
from infra.migrations.governance.kill_switches import LIFTS, SYMBOLS, store_intent
from infra.migrations.live.events import TRIGGER

revision = "0025_governance"
down_revision = "0024_learning"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(APPROVALS)
    op.execute(ISOLATION.format(table="approval_decisions"))
    op.execute(SYMBOLS)
    op.execute(LIFTS)
    op.execute(store_intent(ORDERS))
    op.execute(FREEZE)
    for table in ("change_freezes", "freeze_breaks"):
        op.execute(TRIGGER.format(table=table, topic="freeze", subject="number"))

"""Ask in the database what makes an approval count and who writes what; keep evidence packs.

Revision ID: 0035_proven_approvals
Revises: 0034_continuous_aggregates
"""

from alembic import op

from infra.migrations.governance.kill_switches import LIFTS
from infra.migrations.governance.packs import PACKS
from infra.migrations.governance.proven import (
    CHAMPIONS,
    DECISIONS,
    GRANTED,
    PRIVATE,
    append_audit,
    lift_kill_switch,
)
from infra.migrations.people.acting import ACTING

revision = "0035_proven_approvals"
down_revision = "0034_continuous_aggregates"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    for statements in (GRANTED, DECISIONS, lift_kill_switch(LIFTS), CHAMPIONS):
        op.execute(statements)
    op.execute(append_audit(ACTING))
    op.execute(PRIVATE)
    op.execute(PACKS)

"""Keep a Merkle tree over all audit rows, with checkpoints; say of each row what wrote it.

Revision ID: 0023_record_tree
Revises: 0022_restored_stop
"""

from alembic import op

from infra.migrations.first.security import ISOLATION
from infra.migrations.record.context import CONTEXT
from infra.migrations.record.search import SEARCH
from infra.migrations.record.tree import TREE

revision = "0023_record_tree"
down_revision = "0022_restored_stop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(CONTEXT)
    op.execute(TREE)
    op.execute(SEARCH)
    op.execute(ISOLATION.format(table="audit_leaves"))

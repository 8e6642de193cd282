"""Say in each reconciliation what was repaired and which strangers were met, and if it was whole.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """ALTER TABLE reconciliations
               ADD COLUMN complete boolean NOT NULL DEFAULT true,
               ADD COLUMN repaired jsonb NOT NULL DEFAULT '{}',
               ADD COLUMN unknown_orders jsonb NOT NULL DEFAULT '{}'"""
    )

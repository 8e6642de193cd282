"""Keep with each settled trade the state that it can be opened again from.

Revision ID: rescues
Revises: 0009
"""

from alembic import op

revision = "rescues"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE trades ADD COLUMN final_state jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE trades DROP COLUMN final_state")

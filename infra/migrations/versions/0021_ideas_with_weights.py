"""Keep of an idea what weight it wants, at what limit it enters, and how its strategy stands.

Revision ID: 0021_ideas_with_weights
Revises: 0020_session_events
"""

from alembic import op

revision = "0021_ideas_with_weights"
down_revision = "0020_session_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """ALTER TABLE ideas
           ADD COLUMN target_weight numeric,
           ADD COLUMN limit_price numeric,
           ADD COLUMN standing text NOT NULL DEFAULT 'shipped'"""
    )

"""Keep the order book of each pair beside its prices, and how a trade was executed.

Revision ID: 0014_books_and_execution
Revises: 0013_quarantined_writes
"""

from alembic import op

revision = "0014_books_and_execution"
down_revision = "0013_quarantined_writes"
branch_labels = None
depends_on = None

BOOKS = """
ALTER TABLE market_snapshots ADD COLUMN book jsonb;
ALTER TABLE market_snapshots ADD COLUMN book_at timestamptz;
"""


def upgrade() -> None:
    op.execute(BOOKS)

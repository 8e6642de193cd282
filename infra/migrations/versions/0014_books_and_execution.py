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


EXECUTION = """
ALTER TABLE trades ADD COLUMN entry_result text NOT NULL DEFAULT 'took';
ALTER TABLE trades ADD COLUMN maker_share numeric;
ALTER TABLE trades ADD COLUMN fees_saved numeric NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    op.execute(BOOKS)
    op.execute(EXECUTION)

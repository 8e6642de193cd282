"""Write down what execution cost against the decision prices, and the dust carried and left.

Revision ID: 0015_slippage
Revises: 0014_books_and_execution
"""

from alembic import op

revision = "0015_slippage"
down_revision = "0014_books_and_execution"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE trades
    ADD COLUMN slippage_basis_points numeric,
    ADD COLUMN slippage_unmeasured integer NOT NULL DEFAULT 0,
    ADD COLUMN executions integer NOT NULL DEFAULT 0,
    ADD COLUMN carried numeric NOT NULL DEFAULT 0,
    ADD COLUMN dust numeric NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    op.execute(COLUMNS)

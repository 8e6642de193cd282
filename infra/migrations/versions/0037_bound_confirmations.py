"""Bind confirmations to their request, delays to the database's clock, and tokens' names.

Revision ID: 0037_bound_confirmations
Revises: 0036_holdout
"""

from alembic import op

from infra.migrations.governance.bound import (
    ACCOUNTS,
    CONFIRMED,
    TIMES,
    TOKENS,
    note_decision,
)
from infra.migrations.governance.proven import DECISIONS

revision = "0037_bound_confirmations"
down_revision = "0036_holdout"
branch_labels = None
depends_on = None
expand_only = True


def upgrade() -> None:
    for statements in (TIMES, TOKENS, ACCOUNTS, CONFIRMED, note_decision(DECISIONS)):
        op.execute(statements)

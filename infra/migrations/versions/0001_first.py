"""Lay the record: accounts, trading, market, audit; isolation and grants from the start.

Revision ID: 0001
Revises:
"""

from alembic import op

from infra.migrations.first import audit, functions, security, tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in (
        tables.ACCOUNTS,
        tables.TRADING,
        tables.MARKET,
        tables.GOVERNANCE,
        tables.HYPERTABLES,
        audit.CHAIN,
        functions.ORDERS,
        functions.FILLS,
        functions.REPORTS,
        functions.WATCHES,
        functions.DIRECTORY,
        functions.EQUITY,
    ):
        op.execute(statement)
    for table in security.ACCOUNT_OWNED:
        op.execute(security.ISOLATION.format(table=table))
    op.execute(security.EXCEPTIONS)
    op.execute(security.GRANTS)

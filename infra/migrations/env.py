"""Alembic's environment. The owner's connection comes from ``migrate``."""

from alembic import context
from sqlmodel import SQLModel

import models.tables  # noqa: F401  # registers the tables


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()

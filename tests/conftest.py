"""Fixtures that every part may use."""

from tests.support.postgres import database_name, postgres

__all__ = ["database_name", "postgres"]

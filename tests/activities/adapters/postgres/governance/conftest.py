"""The owner of a database with two accounts, and connections as any role."""

import psycopg
import pytest


@pytest.fixture
def owner(superuser_url, database):
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def connect(postgres, database, database_name):
    """Connect as a role, in the scope of the platform."""
    opened = []

    def connected(role):
        connection = psycopg.connect(postgres.url(role, database_name), autocommit=True)
        opened.append(connection)
        connection.execute("SELECT set_config('aether.account_id', 'platform', false)")
        return connection

    yield connected
    for one in opened:
        one.close()

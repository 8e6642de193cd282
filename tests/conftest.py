"""Fixtures that every part may use."""

import os

import pytest

from tests.support.platform import account, api_database, platform
from tests.support.postgres import database_name, postgres
from tests.support.recordings import RECORDINGS
from tests.support.temporal import temporal_address

__all__ = [
    "account",
    "api_database",
    "database_name",
    "platform",
    "postgres",
    "temporal_address",
]


def pytest_configure(config: pytest.Config) -> None:
    """Fail, instead of skipping, where the recordings are demanded and absent."""
    demanded = os.environ.get("AETHER_REQUIRE_RECORDINGS")
    absent = [path for path in (RECORDINGS, RECORDINGS.parent / "data") if not path.is_dir()]
    if demanded and absent:
        raise pytest.UsageError(f"AETHER_REQUIRE_RECORDINGS is set and {absent[0]} is absent")

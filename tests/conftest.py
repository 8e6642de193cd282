"""Fixtures that every part may use."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support.demanded import DEMANDED, is_demanded
from tests.support.platform import account, api_database, platform
from tests.support.postgres import database_name, postgres
from tests.support.recordings import RECORDINGS
from tests.support.reports import sendable
from tests.support.temporal import temporal_address

__all__ = [
    "account",
    "api_database",
    "database_name",
    "platform",
    "postgres",
    "temporal_address",
]


# How fast a machine is is no property of what is tested on it.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

MOST_PROCESSES = 4
TESTS = Path(__file__).parent
ALONE_IN = {TESTS / "e2e", TESTS / "faults"}
"""Where `make test` looks for tests that nothing may run beside."""


def pytest_configure(config: pytest.Config) -> None:
    """Fail, instead of skipping, where the recordings are demanded and absent."""
    missing = [path for path in (RECORDINGS, RECORDINGS.parent / "data") if not path.is_dir()]
    if is_demanded() and missing:
        raise pytest.UsageError(f"{DEMANDED} is set and {missing[0]} is absent")


def pytest_xdist_auto_num_workers() -> int:
    """Return how many processes run tests side by side.

    One more than there are cores: some tests wait for clocks, of rate limits and of deadlines.
    """
    return min(MOST_PROCESSES, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that `make test` would never run."""
    for item in items:
        if item.get_closest_marker("alone") and ALONE_IN.isdisjoint(item.path.parents):
            raise pytest.UsageError(f"{item.nodeid} is to run alone, and is not in e2e or faults")


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later collection of garbage.

    A full one looked through all of it, and a workflow that met it stood still for its two seconds.
    """
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, Any]:
    """Let no failure end the process that met it by what it shows."""
    return sendable((yield))


@pytest.fixture(autouse=True)
def umask_of_its_own() -> Iterator[None]:
    """Let no test leave the umask to the next one: commands that are tried in process set it."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)

"""Fixtures of the tests of supervision."""

import pytest

from infra.stack.programs.supervision import Supervisor


@pytest.fixture
def supervisor(tmp_path):
    run, logs = tmp_path / "run", tmp_path / "logs"
    run.mkdir()
    logs.mkdir()
    found = Supervisor(run, run, logs)
    yield found
    found.stop()

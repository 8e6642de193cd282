"""Whoever answers for nothing but itself is asked too, but nobody waits for it at a start."""

import pytest

from infra.runtime.http.port_settings import HEALTH_OFFSETS
from infra.runtime.settings import Settings
from infra.stack.programs.supervision import ProcessStatus
from infra.stack.readiness import LATE_SECONDS, check_all
from tests.support.free_ports import free_block
from workers.health import Health, HealthServer


@pytest.fixture
def settings():
    return Settings(port_base=free_block())


@pytest.mark.parametrize("name", HEALTH_OFFSETS)
def test_what_a_process_says_of_itself_is_what_it_lacks(settings, name):
    status = ProcessStatus(name, "running", 1, LATE_SECONDS, 0)
    assert "refused" in check_all(settings, [status])[name]
    health = Health({"temporal": "no answer", "database": "ok"})
    server = HealthServer(settings.health_port(name), health)
    server.start()
    try:
        assert check_all(settings, [status]) == {name: "temporal: no answer"}
        health.checks["temporal"] = "ok"
        assert check_all(settings, [status]) == {name: ""}
    finally:
        server.stop()


def test_one_that_loads_last_is_given_its_first_seconds(settings):
    starting = ProcessStatus("research", "running", 1, LATE_SECONDS - 1, 0)
    gone = ProcessStatus("notifications", "exited", 0, 0, 1)
    assert check_all(settings, [starting, gone]) == {
        "research": "",
        "notifications": "not running",
    }

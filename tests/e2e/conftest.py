"""One whole stack for tests that take it as they find it: trading by itself, generated market."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from infra.runtime import ports
from infra.runtime.errors import PortInUseError
from infra.runtime.settings import Settings
from tests.support.own_stack import OwnStack, own_stack

FIRST_PORT, PORTS_APART, ATTEMPTS = 21800, 20, 10


@pytest.fixture(scope="module")
def stack() -> Iterator[OwnStack]:
    """Bring a stack up on free ports; no module finds what another left behind."""
    with own_stack(free_ports(), MARKET="generated", SPEED="10") as running:
        yield running


def free_ports() -> int:
    for number in range(ATTEMPTS):
        base = FIRST_PORT + number * PORTS_APART
        with suppress(PortInUseError):
            ports.require_free(Settings(port_base=base))
            return base
    raise AssertionError(f"no free ports above {FIRST_PORT}")

"""One whole stack for tests that take it as they find it: trading by itself, generated market."""

from collections.abc import Iterator

import pytest

from tests.support.free_ports import free_block
from tests.support.own_stack import OwnStack, own_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[OwnStack]:
    """Bring a stack up on free ports; no module finds what another left behind."""
    with own_stack(free_block(), MARKET="generated", SPEED="10") as running:
        yield running

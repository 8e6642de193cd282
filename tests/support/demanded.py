"""What a machine lacks: a reason to skip where somebody works, a failure where all is demanded."""

import os
from typing import NoReturn

import pytest

DEMANDED = "AETHER_REQUIRE_RECORDINGS"


def is_demanded() -> bool:
    """Tell whether everything that tests need is to be here, as on the machine that judges."""
    return bool(os.environ.get(DEMANDED))


def absent(what: str) -> NoReturn:
    """Skip the test that asks, or fail it where nothing may be absent."""
    if is_demanded():
        pytest.fail(f"{DEMANDED} is set: {what}", pytrace=False)
    pytest.skip(what)

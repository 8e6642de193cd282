"""A throwaway stack for a benchmark: own state, own ports, a calm market, gone afterwards."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.runtime.errors import PortInUseError, StartError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack import ports, temporal_server
from infra.stack.embedded import Stack
from infra.stack.readiness import wait_until_ready

READY_SECONDS = 90.0
PORTS_APART = 20
ATTEMPTS = 100
BAR_MINUTES = "1440"
CALLER_REQUESTS = "1000000"

Tell = Callable[[str], None]


@contextmanager
def throwaway_stack(
    settings: Settings, tell: Tell, accounts: int = 3, ready_seconds: float = READY_SECONDS
) -> Iterator[Settings]:
    """Run a stack in a fresh directory and give its settings; stop and remove it in the end.

    Raises:
        PlatformError: it cannot be started.
    """
    program = temporal_server.find_or_provide(StateDirectory(settings.home), tell)
    home = Path(tempfile.mkdtemp(prefix="aether-bench-"))
    changed = {
        "home": home,
        "port_base": _free_ports(settings),
        "market": "generated",
        "speed": "1",
        "bar_minutes": int(BAR_MINUTES),
        "accounts": accounts,
        "database_url": None,
        "temporal_address": None,
    }
    before = dict(os.environ)
    os.environ["AETHER_TEMPORAL_CLI"] = str(program)
    # A token given for another stack would be refused by this one.
    os.environ.pop("AETHER_TOKEN", None)
    # No bar closes meanwhile: a strategy that trades beside the load would change what is measured,
    # and hold what nobody closes.
    os.environ["AETHER_BAR_MINUTES"] = BAR_MINUTES
    # One caller sends the whole load; its own limit is not what the machine carries.
    os.environ["AETHER_CALLER_REQUESTS"] = CALLER_REQUESTS
    stack = Stack(settings.model_copy(update=changed))
    try:
        tell(f"Starting a stack of its own in {home}, ports from {stack.settings.port_base}")
        stack.start(tell)
        lacking = wait_until_ready(
            stack.settings, stack.supervisor, ready_seconds, lambda _lacking: None
        )
        if lacking:
            raise StartError("; ".join(f"{name}: {why}" for name, why in lacking.items()))
        yield stack.settings
    finally:
        tell("Stopping it")
        stack.stop()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


def _free_ports(settings: Settings) -> int:
    for number in range(1, ATTEMPTS):
        base = settings.port_base + number * PORTS_APART
        with suppress(PortInUseError):
            ports.require_free(settings.model_copy(update={"port_base": base}))
            return base
    raise StartError(f"no free ports were found above {settings.port_base}")

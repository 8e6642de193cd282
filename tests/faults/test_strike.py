"""A fault that several trades share strikes once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

from tests.faults.scripts import KILL, Plan
from tests.faults.strike import Strike

TRADES = 3


class Processes:
    """Notes what it is asked to kill."""

    def __init__(self) -> None:
        self.killed: list[str] = []
        self.log_disk = SimpleNamespace(free=lambda: None)

    def kill(self, target: str) -> int:
        self.killed.append(target)
        return 1


class SlowControl:
    """Answers late, so that all have begun before the first is through."""

    def state(self) -> dict[str, Any]:
        time.sleep(0.02)
        return {"fills": dict.fromkeys(("company", "director-1", "director-2"), 0)}


def test_kill_that_every_trade_begins_kills_once() -> None:
    script = next(s for wave in Plan(1, 1.0, (KILL,)).waves() for s in wave if s.step == "exit")
    processes: Any = Processes()
    strike = Strike(script, SlowControl(), processes)  # type: ignore[arg-type]
    together = threading.Barrier(TRADES)

    def begin() -> None:
        together.wait()
        strike.begin()

    with ThreadPoolExecutor(TRADES) as threads:
        for begun in [threads.submit(begin) for _ in range(TRADES)]:
            begun.result()
    strike.finish()
    assert processes.killed == [*script.kills]
    assert (strike.kills, strike.failure) == (1, None)

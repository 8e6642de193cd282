import struct

import pytest

from activities.adapters.kraken.limits.persisted_counter import PersistedCounter
from activities.adapters.kraken.limits.priority_gate import Priority
from activities.adapters.kraken.limits.rate_budget import INTERMEDIATE, RateBudget


class Wall:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "a.reads"


def a_budget(path, wall):
    return RateBudget(clock=lambda: 0.0, kept_reads=PersistedCounter(path, wall))


def wait(budget, cost=1.0):
    return budget.seconds_until_read(cost, Priority.PROTECT)


async def test_who_takes_over_goes_on_where_the_counter_stands(path):
    wall = Wall()
    first = a_budget(path, wall)
    assert first.headroom().reads == 1.0
    for _ in range(16):
        await first.admit_read(1.0, Priority.PROTECT)
    wall.now += 4.0  # the process dies, with the file as it is
    second = a_budget(path, wall)
    level = 16 - 4.0 * INTERMEDIATE.read_decay
    assert second.headroom().reads == pytest.approx(1 - level / INTERMEDIATE.read_maximum)
    wall.now += 100.0
    assert a_budget(path, wall).headroom().reads == 1.0


async def test_a_refusal_of_the_exchange_is_remembered_and_a_refund_too(path):
    wall = Wall()
    first = a_budget(path, wall)
    first.refused("EAPI:Rate limit exceeded", None)
    assert wait(a_budget(path, wall)) == pytest.approx(1 / INTERMEDIATE.read_decay)
    first.refund_read(5.0)
    assert wait(a_budget(path, wall)) == 0.0


def test_a_clock_that_stepped_back_lowers_nothing(path):
    wall = Wall()
    a_budget(path, wall).refused("EAPI:Rate limit exceeded", None)
    wall.now -= 3600.0
    assert a_budget(path, wall).headroom().reads == 0.0


@pytest.mark.parametrize("content", [b"", b"short", struct.pack("<dd", float("nan"), 0.0)])
def test_what_is_no_level_counts_as_full(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert a_budget(path, Wall()).headroom().reads == 0.0


async def test_a_level_that_cannot_be_kept_fails_no_request_and_is_said_once(path, caplog):
    budget = a_budget(path, Wall())
    path.mkdir(parents=True)  # nothing can be written there any more
    for _ in range(3):
        await budget.admit_read(1.0, Priority.PROTECT)
    assert len(caplog.records) == 1

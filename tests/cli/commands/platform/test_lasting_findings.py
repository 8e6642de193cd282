"""A difference counts when it stays: what resolves itself in the grace period is none."""

import pytest

from activities.accounts.verification import MISSING_ORDERS, UNPROTECTED, Finding
from cli.commands.platform import verify

LOST = Finding(MISSING_ORDERS, "company", "a", "lost")
BARE = Finding(UNPROTECTED, "company", "BTC/USD of trade 1", "bare", 1)


@pytest.fixture
def looks():
    """Return lasting findings of a script of looks, one a second; the last look repeats."""
    now = [0.0]

    async def pause(_):
        now[0] += 1

    async def run(script, grace=5):
        async def look():
            return script[min(int(now[0]), len(script) - 1)]

        return await verify.lasting_findings(look, grace, lambda: now[0], pause)

    return run


async def test_nothing_found_is_clean_at_once(looks):
    assert await looks([[]]) == {}


async def test_action_under_way_is_no_violation(looks):
    assert await looks([[LOST], [LOST, BARE], [BARE], []]) == {}


async def test_difference_that_stays_is_reported_with_its_duration(looks):
    assert await looks([[LOST]]) == {LOST: 5.0}


async def test_difference_that_comes_and_goes_starts_afresh(looks):
    script = [[LOST, BARE], [LOST], [LOST, BARE], [LOST], [LOST, BARE], [LOST]]
    assert await looks(script) == {LOST: 5.0}


async def test_busy_platform_cannot_hide_what_stays(looks):
    script = [
        [LOST, Finding(UNPROTECTED, "company", f"BTC/USD of trade {n}", "bare", n)]
        for n in range(30)
    ]
    assert await looks(script) == {LOST: 20.0}


async def test_slow_looks_hide_nothing():
    now = [0.0]

    async def look():
        now[0] += 30
        return [LOST]

    async def pause(_):
        now[0] += 1

    assert await verify.lasting_findings(look, 5, lambda: now[0], pause) == {LOST: 31.0}


async def test_without_grace_the_first_look_decides(looks):
    assert await looks([[BARE]], grace=0) == {BARE: 0.0}

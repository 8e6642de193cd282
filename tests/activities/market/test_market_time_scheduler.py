"""Jobs of the market's clock run once per boundary, in order, however fast the market is."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.market.market_time_scheduler import MarketJob, MarketTimeScheduler, boundary_before

DAY = datetime(2024, 3, 9, tzinfo=UTC)
DAILY = timedelta(days=1)


class Jobs:
    def __init__(self):
        self.ran = []
        self.failures = 0

    def job(self, name, every=DAILY):
        async def start(boundary):
            if self.failures:
                self.failures -= 1
                raise RuntimeError("not now")
            self.ran.append((name, boundary))

        return MarketJob(name, every, start)


def test_boundary_is_the_newest_that_is_not_ahead():
    assert boundary_before(DAY, DAILY) == DAY
    assert boundary_before(DAY + timedelta(hours=23), DAILY) == DAY
    assert boundary_before(DAY, timedelta(hours=7)) <= DAY


async def test_each_boundary_once_in_the_order_of_the_jobs():
    jobs = Jobs()
    market_time_scheduler = MarketTimeScheduler([jobs.job("first"), jobs.job("second")])
    assert await market_time_scheduler.advance(DAY + timedelta(hours=1))
    assert not await market_time_scheduler.advance(DAY + timedelta(hours=5))
    # Days that nobody looked at are skipped: only the newest boundary counts.
    assert await market_time_scheduler.advance(DAY + timedelta(days=3, hours=2))
    later = DAY + timedelta(days=3)
    assert jobs.ran == [("first", DAY), ("second", DAY), ("first", later), ("second", later)]


async def test_failed_job_is_due_again_and_an_earlier_one_is_not_repeated():
    jobs = Jobs()
    jobs.failures = 1
    market_time_scheduler = MarketTimeScheduler([jobs.job("only")])
    with pytest.raises(RuntimeError):
        await market_time_scheduler.advance(DAY)
    assert await market_time_scheduler.advance(DAY)
    assert jobs.ran == [("only", DAY)]


async def test_fast_market_leaves_a_pause_in_wall_time():
    jobs, wall = Jobs(), [100.0]
    market_time_scheduler = MarketTimeScheduler([jobs.job("only")], clock=lambda: wall[0])
    assert await market_time_scheduler.advance(DAY, throttled=True)
    assert not await market_time_scheduler.advance(DAY + DAILY, throttled=True)
    wall[0] += 5.0
    assert await market_time_scheduler.advance(DAY + 2 * DAILY, throttled=True)
    assert [boundary for _, boundary in jobs.ran] == [DAY, DAY + 2 * DAILY]

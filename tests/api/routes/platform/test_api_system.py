"""Schedules, latencies and rate limits, as the processes tell them; what is not told is unknown."""

import httpx
import pytest

from api.routes.platform.system import headroom_of, samples_of, steps_of
from api.services import Services

METRICS = """
# TYPE aether_order_step_seconds histogram
aether_order_step_seconds_bucket{le="0.05",leg="entry",step="acknowledge"} 10
aether_order_step_seconds_bucket{le="0.1",leg="entry",step="acknowledge"} 95
aether_order_step_seconds_bucket{le="+Inf",leg="entry",step="acknowledge"} 100
aether_order_step_seconds_bucket{le="0.05",leg="stop",step="acknowledge"} 0
aether_order_step_seconds_bucket{le="+Inf",leg="stop",step="acknowledge"} 1
aether_order_step_seconds_bucket{le="0.05",leg="exit",step="cancel"} 0
aether_order_step_seconds_bucket{le="+Inf",leg="exit",step="cancel"} 0
# TYPE aether_rate_read_headroom_ratio gauge
aether_rate_read_headroom_ratio{account="company"} 0.75
# TYPE aether_rate_trading_headroom_ratio gauge
aether_rate_trading_headroom_ratio{account="company"} NaN
# TYPE aether_exchange_cool_down_seconds gauge
aether_exchange_cool_down_seconds{account="company",kind="throttled"} 4
aether_exchange_cool_down_seconds{account="company",kind="lockout"} 0
"""


@pytest.fixture
async def platform(without_engine):
    return without_engine


def test_steps_are_bounds_of_their_histograms():
    steps = {(one.step, one.leg): one for one in steps_of(samples_of(METRICS))}
    entry, stop = steps["acknowledge", "entry"], steps["acknowledge", "stop"]
    assert (entry.count, entry.half, entry.most) == (100, 0.1, 0.1)
    # Beyond the scale is not known, and no step is told of that was never taken.
    assert (stop.count, stop.half, stop.most) == (1, None, None)
    assert ("cancel", "exit") not in steps


def test_a_headroom_that_is_not_told_is_unknown():
    samples = samples_of(METRICS)
    company, other = headroom_of(samples, "company"), headroom_of(samples, "director-1")
    assert (company.reading, company.trading, company.waiting_seconds) == (0.75, None, 4.0)
    assert (other.reading, other.trading, other.waiting_seconds) == (None, None, 0.0)


async def test_processes_that_do_not_answer_are_named(platform):
    services: Services = platform.services
    services.http = httpx.AsyncClient(transport=httpx.MockTransport(_nobody))
    told = (await platform.caller.get("/api/v1/system")).json()
    assert told["schedules_unknown"] == "the workflow engine has not been reached yet"
    assert told["trading_unknown"] == "the trading process does not tell: ConnectError"
    assert (told["schedules"], told["steps"], told["headroom"]) == ([], [], [])


async def test_what_the_trading_process_tells_is_shown(platform):
    services: Services = platform.services
    services.http = httpx.AsyncClient(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, text=METRICS))
    )
    told = (await platform.caller.get("/api/v1/system")).json()
    assert told["trading_unknown"] is None
    assert {row["account"] for row in told["headroom"]} == set(await services.database.accounts())
    assert len(told["steps"]) == 2


def _nobody(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)

"""Market time of a paced exchange goes on between the steps of its market, over a kill too."""

import asyncio

import pytest

from tests.support.exchange_server import Process

PACED = ("--speed", "1", "--warmup-bars", "2", "--bar-minutes", "1440")
PAUSE_SECONDS = 0.05


@pytest.fixture
def process(tmp_path):
    exchange = Process(tmp_path / "state", *PACED)
    yield exchange
    exchange.kill()


async def opened(exchange) -> list[str]:
    orders = (await exchange.record())["orders"]
    return [order["opened_at"] for order in sorted(orders, key=lambda one: one["opened_at"])]


async def test_orders_between_two_steps_have_times_of_their_own(process):
    process.start()
    async with process.client() as exchange:
        step = (await exchange.control("state"))[1]["step"]
        ids = []
        for _ in range(3):
            ids.append(await exchange.rest_order())
            await asyncio.sleep(PAUSE_SECONDS)
        assert (await exchange.control("state"))[1]["step"] == step
        before = await opened(exchange)
        assert len(set(before)) == len(ids)
        # Each spelling of a time says the same, and a question reaches back no further than asked.
        orders = await exchange.result("QueryOrders", txid=",".join(ids))
        times = [orders[name]["opentm"] for name in ids]
        assert times == sorted(times)
        await exchange.result("CancelOrder", txid=ids[0])
        await asyncio.sleep(PAUSE_SECONDS)
        await exchange.result("CancelOrder", txid=ids[1])
        closed = (await exchange.result("ClosedOrders"))["closed"]
        bound = closed[ids[0]]["closetm"]
        later = await exchange.result("ClosedOrders", start=bound, closetime="close")
        assert list(later["closed"]) == [ids[1]]
        time_then = (await exchange.control("state"))[1]["market_time"]
    process.kill()
    process.start()
    async with process.client() as exchange:
        assert await opened(exchange) == before
        assert (await exchange.control("state"))[1]["market_time"] == time_then
        await asyncio.sleep(PAUSE_SECONDS)
        latest = await exchange.rest_order()
        orders = await exchange.result("QueryOrders", txid=f"{ids[2]},{latest}")
        assert orders[latest]["opentm"] > orders[ids[2]]["opentm"]

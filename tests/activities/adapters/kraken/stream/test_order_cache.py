"""What the stream told answers without a request; what it did not tell proves nothing."""

import asyncio
from dataclasses import replace

from activities.adapters.kraken.stream.order_cache import OrderCache
from models.trading.orders import OrderStatus
from tests.support.record_builders import a_report, an_order


async def test_end_already_told_is_answered_at_once() -> None:
    memory = OrderCache()
    memory.learn(a_report(an_order(), "OAAAAA-AAAAA-AAAAAA", status=OrderStatus.CANCELED))
    ended = await memory.ended("OAAAAA-AAAAA-AAAAAA", within=0)
    assert ended is not None
    assert ended.status is OrderStatus.CANCELED


async def test_end_told_while_waiting_wakes_the_waiter() -> None:
    memory = OrderCache()
    live = a_report(an_order(), "OAAAAA-AAAAA-AAAAAA", status=OrderStatus.OPEN)
    memory.learn(live)
    waiting = asyncio.create_task(memory.ended(live.order_id, within=5))
    await asyncio.sleep(0)
    memory.learn(replace(live, status=OrderStatus.CLOSED, filled_quantity=live.quantity))
    ended = await waiting
    assert ended is not None
    assert ended.filled_quantity == live.quantity


async def test_silence_answers_nothing() -> None:
    memory = OrderCache()
    assert await memory.ended("OAAAAA-AAAAA-AAAAAA", within=0.01) is None
    assert await memory.appeared(lambda _: True, within=0.01) is None
    assert memory.first(lambda _: True) is None


async def test_order_told_of_while_looked_for_wakes_the_one_who_looks() -> None:
    memory = OrderCache()
    wanted, other = a_report(an_order(), "O1"), a_report(an_order(), "O2")
    looking = asyncio.create_task(memory.appeared(lambda one: one.order_id == "O1", within=5))
    await asyncio.sleep(0)
    memory.learn(other)
    memory.learn(wanted)
    assert await looking == wanted
    assert await memory.appeared(lambda one: one.order_id == "O2", within=0) == other

"""Record histories of the stories for the replay test: ``python -m tests.replay.record``.

``python -m tests.replay.record data`` records only those of data from outside.

Payloads are written in the clear (they hold made-up trades), so that they replay without a key.
"""

import asyncio
import json
import re
import sys
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from temporalio.client import Client

from infra.runtime.temporal.client import connect
from models.contracts.market.data import DataWork, market_data_id
from models.contracts.names import (
    approval_workflow_id,
    daily_reset_workflow_id,
    kill_switch_workflow_id,
)
from models.contracts.workflows import (
    CloseNow,
    KillSwitchInput,
    KillSwitchProgress,
    LiftApproved,
    MoveStop,
)
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.answers import Answer
from models.trading.orders import Leg, OrderType
from models.trading.trade.facts import PriceCrossed
from tests.support.data_work import recorded_data_work
from tests.support.fakes import wall_clock
from tests.support.stories import TASK_TIMEOUT, Story, at_rest
from tests.support.temporal import NAMESPACE, World, access, eventually, temporal_server
from tests.workflows.account.test_day_stories import close_days
from tests.workflows.account.test_hedge_stories import HedgedStory
from tests.workflows.governance.test_approval_stories import CarefulStory
from tests.workflows.trade.test_trade_stories import rest_is_over

HISTORIES = Path(__file__).with_name("histories")


async def record(address: str) -> None:
    client = await connect(address, NAMESPACE, [], tls=access(address))
    world = World(client)
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        await _take_profit(story)
        await _stop_out(story, 2)
        await _lost_replies(story, 3)
        await _moved_and_closed(story, 4)
        await _partial_fills(story, 5)
        await _kill_switch(story, 6)
        await at_rest(story.handle)
        for number in range(1, 7):
            await _save(world.client, story.trade(number).id, f"trade-{number}")
        await _save(world.client, story.handle.id, "account")
        await _save(world.client, kill_switch_workflow_id(1), "kill-switch")
        await story.end()
        await _save(world.client, f"stream/{story.account}", "stream")
        await _rested(world)
        await _rules(world)


async def _rested(world: World) -> None:
    """A trade whose entry rests, follows the bid, crosses, and whose exit widens."""
    story = Story(world, world.add_account())
    style = '{"execution.entry_style":"rest_then_take","execution.reprices":1}'
    await story.begin(settings=SettingsInForce(1, style))
    await story.open()
    await eventually(lambda: story.orders(Leg.ENTRY), "the entry rests")
    await rest_is_over(story, "49999.5", seen=0)
    await eventually(lambda: len(story.exchange.repriced) == 1, "it follows the bid")
    await rest_is_over(story, "49999.6", seen=1)
    await story.until_protected(1)
    story.exchange.offered = Decimal("0.006")
    close = CloseNow("close", "tester", wall_clock(), Decimal(50000))
    await story.trade(1).execute_update("close_now", close, result_type=Answer)
    await story.trade(1).result()
    await _save(world.client, story.trade(1).id, "trade-resting")
    await story.end()


async def _rules(world: World) -> None:
    """The workflows of the account's rules: a hedge that sells, an approval, days that close."""
    story = HedgedStory(world, world.add_account())
    await story.begin()
    await story.open()
    await story.until_protected(1)
    await story.moment("1.2", 0)
    await story.moment("1.2", 24)
    await eventually(story.reviews, "the hedge was reviewed")
    await at_rest(story.handle)
    await _save(world.client, story.hedge.id, "hedge")
    await close_days(story, wall_clock() + timedelta(days=2))
    await _save(world.client, daily_reset_workflow_id(story.account), "daily-reset")
    await story.end()
    careful = CarefulStory(world, world.add_account())
    await careful.begin()
    asked = await careful.open_large()
    await careful.waits(asked.approval or "")
    await careful.decide(asked.approval or "", "second")
    await careful.until_protected(1)
    approval = approval_workflow_id(careful.account, asked.approval or "")
    await world.client.get_workflow_handle(approval).result()
    await _save(world.client, approval, "approval")
    await careful.end()


async def _save(client: Client, workflow_id: str, name: str) -> None:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    # The recorder's process and machine are nobody's business.
    content = re.sub(r"\d+@[\w.-]+", "recorder", history.to_json())
    compact = json.dumps(_without_traces(json.loads(content)), separators=(",", ":"))
    (HISTORIES / f"{name}.json").write_text(compact + "\n")


def _without_traces(part: Any) -> Any:
    """Leave out where in the recorder's files something failed."""
    if isinstance(part, dict):
        return {name: _without_traces(p) for name, p in part.items() if name != "stackTrace"}
    return [_without_traces(p) for p in part] if isinstance(part, list) else part


async def _take_profit(story: Story) -> None:
    await story.open()
    await story.until_protected(1)
    watches = await eventually(lambda: story.journal.watches.get((story.account, 1)), "watched")
    story.exchange.set_price(Decimal(55001))
    crossing = PriceCrossed(watches[0].watch_id, watches[0].kind, Decimal(55001), wall_clock())
    await story.trade(1).signal("price_crossed", crossing)
    await story.trade(1).result()


async def _stop_out(story: Story, number: int) -> None:
    await story.open()
    await story.until_protected(number)
    story.exchange.set_price(Decimal(50000))
    await story.trade(number).result()


async def _lost_replies(story: Story, number: int) -> None:
    story.exchange.lose_after = 1
    await story.open()
    await story.until_protected(number)
    story.exchange.deaf = True
    story.exchange.set_price(Decimal(40000))
    story.exchange.deaf = False
    story.exchange.gap()
    await story.trade(number).result()


async def _moved_and_closed(story: Story, number: int) -> None:
    await story.open()
    await story.until_protected(number)
    prices = {"stop_price": Decimal(39000), "price": Decimal(50000)}
    move = MoveStop("move", "tester", wall_clock(), **prices)
    await story.trade(number).execute_update("move_stop", move, result_type=Answer)
    close = CloseNow("close", "tester", wall_clock())
    await story.trade(number).execute_update("close_now", close, result_type=Answer)
    await story.trade(number).result()


async def _partial_fills(story: Story, number: int) -> None:
    await story.open(order_type=OrderType.LIMIT, limit_price=Decimal(39500))
    (entry,) = await eventually(lambda: story.orders(Leg.ENTRY, number), "entry rests")
    story.exchange.fill_part(entry.order_id, Decimal("0.004"))
    await story.until_protected(number)
    story.exchange.fill_part(entry.order_id, Decimal("0.006"))
    await eventually(
        lambda: sum(s.quantity for s in story.resting_stops(number)) == Decimal("0.01"), "covered"
    )
    story.exchange.set_price(Decimal(30000))
    await story.trade(number).result()


async def _kill_switch(story: Story, number: int) -> None:
    await story.open()
    await story.until_protected(number)
    order = KillSwitchInput(1, (story.account,), True, "test", "tester", wall_clock())
    handle = await story.world.client.start_workflow(
        "KillSwitchWorkflow",
        order,
        id=kill_switch_workflow_id(1),
        task_queue=story.world.queue,
        task_timeout=TASK_TIMEOUT,
    )
    await story.trade(number).result()
    story.journal.approved.add(1)
    lift = LiftApproved("lift", "tester", wall_clock())
    await handle.execute_update("approve_lift", lift, result_type=KillSwitchProgress)
    await handle.result()


async def record_data(address: str) -> None:
    """What is brought from outside: a series that fails, and a list that names an asset."""
    client = await connect(address, NAMESPACE, [], tls=access(address))
    async with recorded_data_work(client) as run:
        for work in DataWork:
            await run(work)
            await _save(client, market_data_id(work), f"market-data-{work.value}")


def main() -> None:
    HISTORIES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, temporal_server(Path(directory)) as address:
        if sys.argv[1:] != ["data"]:
            asyncio.run(record(address))
        asyncio.run(record_data(address))


if __name__ == "__main__":
    main()

"""Stories of accounts: kill switch, lost exchange, reconciliation, restarts, long histories."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from models.contracts.names import kill_switch_workflow_id
from models.contracts.workflows import (
    AccountToReconcile,
    CloseNow,
    KillSwitchInput,
    KillSwitchProgress,
    LiftApproved,
    Reconciled,
)
from models.trading.account.facts import ExchangeReady, HaltRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.orders import Leg, OrderStatus, OrderType
from models.trading.trade.state import TradePhase
from tests.support.fakes import BITCOIN, wall_clock
from tests.support.stories import TASK_TIMEOUT, Story, at_rest
from tests.support.temporal import World, eventually
from workflows import entity


async def begun(world: World, count: int = 1) -> list[Story]:
    stories = [Story(world, world.add_account()) for _ in range(count)]
    for story in stories:
        await story.begin()
    return stories


async def snapshot(story: Story) -> AccountState:
    return await story.world.client.get_workflow_handle(story.handle.id).query(
        "snapshot", result_type=AccountState
    )


async def engage(world: World, stories: list[Story], number: int, *, flatten: bool) -> str:
    order = KillSwitchInput(
        number, tuple(s.account for s in stories), flatten, "test", "tester", wall_clock()
    )
    name = kill_switch_workflow_id(number)
    await world.client.start_workflow(
        "KillSwitchWorkflow", order, id=name, task_queue=world.queue, task_timeout=TASK_TIMEOUT
    )
    return name


async def test_kill_switch_halts_withdraws_keeps_stops_and_lifts(world: World) -> None:
    async with world.running():
        stories = await begun(world, 3)
        held = stories[0]
        await held.open()
        await held.until_protected()
        for story in stories:
            await story.open(order_type=OrderType.LIMIT, limit_price=Decimal(49000))
        entries = [await eventually(lambda s=s: s.orders(Leg.ENTRY), "entry") for s in stories]
        assert all(entries)
        name = await engage(world, stories, 101, flatten=False)
        switch = world.client.get_workflow_handle(name)
        await eventually(lambda: len(world.journal.acknowledged) == 3, "all acknowledged")

        async def is_engaged() -> bool:
            progress = await switch.query("progress", result_type=KillSwitchProgress)
            return progress.phase == "engaged" and len(progress.acknowledged) == 3

        await eventually(is_engaged, "entries are withdrawn")
        for story in stories:
            resting = [o for o in await story.exchange.open_orders() if o.side == "buy"]
            assert not resting
            assert (await story.open()).code == "kill-switch-engaged"
        assert len(held.resting_stops()) == 1
        held.journal.approved.add(101)
        lift = LiftApproved("lift-1", "tester", wall_clock())
        await switch.execute_update("approve_lift", lift, result_type=KillSwitchProgress)
        await switch.result()
        for story in stories:
            await eventually(lambda s=story: _is_free(s), "the account takes entries again")
            await story.end()


async def _is_free(story: Story) -> bool:
    return not (await snapshot(story)).is_halted


async def test_kill_switch_flattens_when_asked(world: World) -> None:
    async with world.running():
        (story,) = await begun(world)
        await story.open()
        await story.until_protected()
        name = await engage(world, [story], 102, flatten=True)
        await story.trade(1).result()
        assert story.exchange.totals["BTC"] == 0
        assert story.journal.trades[story.account, 1].exit_reason == "kill_switch"
        await world.client.get_workflow_handle(name).terminate("done")
        await story.end()


async def test_flag_in_the_record_refuses_an_entry_before_the_account_knows(world: World) -> None:
    async with world.running():
        (story,) = await begun(world)
        world.journal.halted.add(story.account)
        await story.open()
        await story.trade(1).result()
        assert not story.exchange.submits
        await story.end()


async def test_lost_exchange_halts_and_its_return_lifts(world: World) -> None:
    async with world.running():
        (story,) = await begun(world)
        story.exchange.down = True
        story.exchange.gap("connection lost")

        async def is_halted() -> bool:
            return (await snapshot(story)).is_halted

        await eventually(is_halted, "no exchange")
        assert (await story.open()).code == "no-exchange"
        story.exchange.down = False
        await eventually(lambda: _is_free(story), "the exchange is back")
        await story.end()


async def test_reconciliation_repairs_what_was_missed_and_names_the_rest(world: World) -> None:
    async with world.running():
        (story,) = await begun(world)
        await story.open()
        stop = await story.until_protected()
        await at_rest(story.handle)
        story.exchange.deaf = True
        story.exchange.set_price(Decimal(47000))
        stranger = replace(
            stop, order_id="OXXXXX-FAKE0-ORDER0", client_order_id=None, status=OrderStatus.OPEN
        )
        story.exchange.orders[stranger.order_id] = stranger
        request = AccountToReconcile(story.account, (BITCOIN.symbol,))
        found = await world.client.execute_workflow(
            "ReconcileWorkflow",
            request,
            id=f"reconcile/{story.account}",
            task_queue=world.queue,
            result_type=Reconciled,
        )
        assert found.differences == {"unknown_orders": [stranger.order_id]}
        assert found.repaired == 2
        await story.trade(1).result()
        assert story.journal.trades[story.account, 1].exit_reason == "stop_loss"
        assert (await story.open()).code == "account-halted"
        assert story.exchange.orders[stranger.order_id].status is OrderStatus.OPEN
        await story.end()


async def test_worker_killed_while_an_order_is_sent_neither_loses_nor_doubles_it(
    world: World,
) -> None:
    """A worker that vanishes sends no failure: only missing heartbeats tell. The next one asks."""
    gate = asyncio.Event()
    first = asyncio.create_task(world.worker().run())
    (story,) = await begun(world)
    story.exchange.submit_gate = gate
    request = story.a_request()
    update = asyncio.create_task(
        story.handle.execute_update(
            "open_trade", request, id=request.request_id, result_type=Answer
        )
    )
    await eventually(lambda: story.exchange.submits, "the entry is being sent")
    first.cancel()
    gate.set()
    story.exchange.submit_gate = None
    await asyncio.gather(first, return_exceptions=True)
    async with world.running():
        assert (await update).accepted
        await eventually(lambda: story.journal.trades.get((story.account, 1)), "the trade runs")
        await at_rest(story.handle)
        entries = story.orders(Leg.ENTRY)
        assert len(entries) <= 1
        assert len(story.exchange.submits) - len(story.orders(Leg.STOP)) == 1
        if entries:
            await story.until_protected()
        else:
            await story.trade(1).result()
        await story.end()


async def test_everything_goes_on_when_every_task_replays_its_history(world: World) -> None:
    async with world.running(max_cached_workflows=0):
        (story,) = await begun(world)
        await story.open()
        await story.until_protected()
        close = CloseNow("close-1", "tester", wall_clock())
        await story.trade(1).execute_update("close_now", close, result_type=Answer)
        await story.trade(1).result()
        assert story.journal.trades[story.account, 1].phase is TradePhase.SETTLED
        await story.end()


async def test_long_histories_go_on_in_a_new_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entity, "HISTORY_BUDGET_EVENTS", 60)
    async with world.running():
        (story,) = await begun(world)
        first_run = (await story.handle.describe()).run_id
        await story.open()
        await story.until_protected()
        request = HaltRequested("halt-1", "tester", "test", wall_clock())
        answer = await story.handle.execute_update("halt", request, result_type=Answer)
        assert answer.accepted
        ready = ExchangeReady({"USD": Decimal(1)}, {BITCOIN.symbol: BITCOIN}, {}, wall_clock())

        async def runs_anew() -> bool:
            await story.handle.signal("exchange_ready", ready)
            # A signal that comes while a run wants to end keeps it from ending: not too many.
            await asyncio.sleep(0.25)
            return (await story.handle.describe()).run_id != first_run

        await eventually(runs_anew, "continued as new")
        state = await snapshot(story)
        assert state.is_halted
        assert 1 in state.trades
        repeated = await story.handle.execute_update("halt", request, result_type=Answer)
        assert repeated.request_id == "halt-1"
        await story.end()


async def test_request_without_an_id_is_rejected_and_leaves_no_trace(world: World) -> None:
    from temporalio.client import WorkflowUpdateFailedError

    async with world.running():
        (story,) = await begun(world)
        with pytest.raises(WorkflowUpdateFailedError):
            await story.open(request_id="")
        assert not story.exchange.submits
        await story.end()

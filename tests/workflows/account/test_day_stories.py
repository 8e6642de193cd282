"""Stories of drawdown, days and capital: halts that outlive workers, days closed once, flows."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from temporalio.worker import Replayer

from activities.ports.capital import BoundaryFigures
from infra.runtime.temporal.workers import sandbox_runner
from models.contracts.approvals import ApprovalDecision
from models.contracts.days import DaysClosed, DayToClose
from models.contracts.names import approval_workflow_id, daily_reset_workflow_id
from models.contracts.workflows import AccountToReconcile, Reconciled
from models.trading.account.capital.facts import (
    CapitalRequested,
    DrawdownLiftRequested,
    PricesMarked,
)
from models.trading.account.state import AccountState, HaltKind
from models.trading.answers import WAITING, Answer
from models.trading.capital.flows import FlowSource
from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from models.trading.trading_day import DayRule
from tests.support.fakes import BITCOIN, wall_clock
from tests.support.stories import LIMITS, Story, at_rest
from tests.support.temporal import TRADING_WORKFLOWS, World, eventually

BOLD = replace(LIMITS, risk_share=Decimal("0.5"))


async def a_story(world: World, **changed: object) -> Story:
    story = Story(world, world.add_account())
    await story.begin(**{"limits": BOLD, **changed})
    return story


async def snapshot(story: Story) -> AccountState:
    return await story.handle.query("snapshot", result_type=AccountState)


async def mark(story: Story, price: Decimal | None, at: datetime | None = None) -> AccountState:
    """Tell a price, and return the state once the account has dealt with it."""
    now = wall_clock()
    prices = {} if price is None else {BITCOIN.symbol: price}
    await story.handle.signal("prices_marked", PricesMarked(prices, at or now, now))
    await at_rest(story.handle)
    return await snapshot(story)


async def close_days(story: Story, until: datetime, name: str = "") -> DaysClosed:
    return await story.world.client.execute_workflow(
        "DailyResetWorkflow",
        DayToClose(story.account, until),
        id=daily_reset_workflow_id(story.account) + name,
        task_queue=story.world.queue,
        result_type=DaysClosed,
    )


def tomorrow() -> datetime:
    return datetime.combine(wall_clock().date() + timedelta(days=1), time(0, 0, 30), UTC)


async def test_hard_level_halts_over_a_killed_worker_until_the_day_is_closed_once(
    world: World,
) -> None:
    first = asyncio.create_task(world.worker().run())
    story = await a_story(world)
    await story.open(quantity=Decimal(1))
    await story.until_protected()
    halted = await mark(story, Decimal(44500))
    assert [h.kind for h in halted.halts] == [HaltKind.DAILY_DRAWDOWN]
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    # Nothing is left of the first worker; the next one has only the histories.
    async with world.running(max_cached_workflows=0):
        assert (await story.open()).code == "daily-drawdown"
        assert len(story.resting_stops()) == 1, "kept protected, as the account is set"
        assert "drawdown_halted" in {action for _, action in world.journal.audits}
        price = Decimal(44500)
        world.journal.boundary = BoundaryFigures({BITCOIN.symbol: price}, fees=Decimal(200))
        runs = await asyncio.gather(
            close_days(story, tomorrow()), close_days(story, tomorrow(), "/again")
        )
        assert {len(run.boundaries) for run in runs} <= {0, 1}
        (record,) = world.journal.days.values()
        assert len(world.journal.day_writes) == 1
        assert record.halted
        assert record.closing_equity == halted.drawdown.equity
        assert record.profit == record.closing_equity - record.opening_equity
        assert not (await snapshot(story)).is_halted
        assert (await close_days(story, tomorrow())).boundaries == ()
        assert (await story.open(stop_price=Decimal(42000))).code == "accepted"
        await at_rest(story.handle)
    await replay(story)
    async with world.running():
        await story.end()


async def replay(story: Story) -> None:
    replayer = Replayer(
        workflows=TRADING_WORKFLOWS,
        workflow_runner=sandbox_runner(),
        data_converter=story.world.client.data_converter,
        namespace=story.world.client.namespace,
    )
    await replayer.replay_workflow(await story.handle.fetch_history())


async def test_hard_level_closes_positions_where_the_account_is_set_so(world: World) -> None:
    async with world.running():
        closing = DrawdownLimits(positions=PositionsOnHalt.CLOSE)
        story = await a_story(world, drawdown_limits=closing)
        await story.open(quantity=Decimal(1), stop_price=Decimal(40000))
        await story.until_protected()
        await mark(story, Decimal(44000))
        await story.trade(1).result()
        assert world.journal.trades[story.account, 1].exit_reason == "drawdown"
        assert story.exchange.totals["BTC"] == 0
        await story.end()


async def test_total_halt_outlives_the_day_and_is_lifted_by_people(world: World) -> None:
    async with world.running():
        story = await a_story(world)
        await story.open(quantity=Decimal(1))
        await story.until_protected()
        await mark(story, Decimal(25000))
        world.journal.boundary = BoundaryFigures({BITCOIN.symbol: Decimal(25000)})
        await close_days(story, tomorrow())
        kinds = {halt.kind for halt in (await snapshot(story)).halts}
        assert HaltKind.TOTAL_DRAWDOWN in kinds
        assert not kinds & {HaltKind.DAILY_DRAWDOWN, HaltKind.DAY_PEAK_LOSS}
        lift = DrawdownLiftRequested("lift-1", "director", "understood", wall_clock())
        answer = await story.handle.execute_update("lift_drawdown", lift, result_type=Answer)
        assert answer.code == WAITING
        name = approval_workflow_id(story.account, answer.approval or "")
        approval = story.world.client.get_workflow_handle(name)
        await eventually(lambda: answer.approval in world.journal.approvals, "it is recorded")
        agreed = ApprovalDecision("yes", "another", True, "", None, wall_clock())
        answer = await approval.execute_update("decide", agreed, result_type=Answer)
        assert answer.accepted, answer
        # The week and the month end by their own clocks.
        left = {halt.kind for halt in (await snapshot(story)).halts}
        assert left <= {HaltKind.WEEK_LOSS, HaltKind.MONTH_LOSS}
        await story.end()


ZONES = [
    ("America/New_York", "2026-03-07T12:00", [24, 23, 24]),
    ("America/New_York", "2026-10-31T12:00", [24, 25, 24]),
    ("Europe/Zurich", "2026-03-28T12:00", [24, 23, 24]),
    ("Europe/Zurich", "2026-10-24T12:00", [24, 25, 24]),
]


@pytest.mark.parametrize(("zone", "begins", "hours"), ZONES)
async def test_days_over_a_clock_change_are_closed_once_though_nothing_ran(
    world: World, zone: str, begins: str, hours: list[int]
) -> None:
    local = datetime.fromisoformat(begins).replace(tzinfo=ZoneInfo(zone))
    async with world.running():
        story = await a_story(world, day=DayRule(zone))
        state = await mark(story, None, local.astimezone(UTC))
        assert state.drawdown.day == local.date()
    # Down over three boundaries; afterwards prices arrive before anybody closes a day.
    later = (local + timedelta(days=3)).astimezone(UTC)
    async with world.running():
        assert (await mark(story, None, later)).drawdown == state.drawdown
        closed = await close_days(story, later)
        await close_days(story, later)
        days = sorted(world.journal.days.values(), key=lambda day: day.closed_at)
        assert [day.day for day in days] == [local.date() + timedelta(days=n) for n in range(3)]
        assert tuple(day.closed_at for day in days) == closed.boundaries
        assert len(world.journal.day_writes) == 3
        ends = [day.closed_at for day in days]
        lengths = [b - a for a, b in zip([None, *ends], [*ends, None], strict=True) if a and b]
        assert [length / timedelta(hours=1) for length in lengths] == hours[1:]
        assert all(end.astimezone(ZoneInfo(zone)).time() == time(0) for end in closed.boundaries)
        await story.end()


async def test_capital_is_booked_at_the_exchange_and_counted_once(world: World) -> None:
    async with world.running():
        story = await a_story(world)
        await mark(story, Decimal(50000))
        wish = CapitalRequested("deposit-1", "director", "USD", Decimal(5000), "more", wall_clock())
        for _ in range(2):
            answer = await story.handle.execute_update("move_capital", wish, result_type=Answer)
            assert answer.accepted
        await eventually(lambda: world.journal.flows, "the flow is recorded")
        await at_rest(story.handle)
        # Another comes over the exchange itself, and only its ledger tells of it.
        story.exchange.book("wire", "USD", Decimal(2500))
        for _ in range(2):
            await reconcile(story)
            await at_rest(story.handle)
        state = await snapshot(story)
        assert state.balances["USD"] == story.exchange.totals["USD"] == 107500
        assert (state.drawdown.flows, state.drawdown.growth) == (7500, 1)
        sources = [noted.flow.source for noted in world.journal.flows.values()]
        assert sorted(sources) == [FlowSource.BY_HAND, FlowSource.LEDGER]
        too_much = CapitalRequested("w", "director", "USD", Decimal(-200000), "all", wall_clock())
        answer = await story.handle.execute_update("move_capital", too_much, result_type=Answer)
        assert answer.code == "insufficient-balance"
        await story.end()


async def reconcile(story: Story) -> None:
    await story.world.client.execute_workflow(
        "ReconcileWorkflow",
        AccountToReconcile(story.account, (BITCOIN.symbol,)),
        id=f"reconcile/{story.account}",
        task_queue=story.world.queue,
        result_type=Reconciled,
    )

"""Trades in the record: figures, stop coverage on protocol time, ideas, audit."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from activities.adapters.postgres.orders.coverage import Coverage, cover
from infra.runtime.database.connections import Role
from models.tables import BalanceRow, IdeaRow, TradeLevelRow, TradeRow
from models.tables.documents import verdict
from models.trading.account.state import AccountState
from models.trading.ideas import Idea, StrategyStanding
from models.trading.orders import Leg, OrderStatus, OrderType, Side
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradeOrder, TradePhase, TradeState
from models.trading.verdicts import Check, Verdict
from tests.models.trading.trading_builders import a_fill, a_plan
from tests.support.figures import Figures
from tests.support.record_builders import NOW, an_exchange_id, an_order
from tests.support.record_builders import a_fill as record_fill

VERDICT = Verdict((Check("R-5", "balance", True, "fits", Decimal("1.10"), Decimal(2)),))
NOTHING = Coverage(Decimal(0), None, Decimal(0))


def a_state(number, *, bought=True, sold=False, stop=False, stop_id="OSTOP", **changes):
    plan = a_plan()
    entry = replace(plan.entry, trade=number, client_order_id=an_order().client_order_id)
    plan = replace(plan, number=number, entry=entry)
    orders = [TradeOrder(entry, OrderStatus.OPEN, entry.quantity, f"OENTRY{number}")]
    if stop:
        spec = an_order(
            trade=number,
            leg=Leg.STOP,
            side=Side.SELL,
            order_type=OrderType.STOP_LOSS,
            limit_price=None,
            trigger_price=Decimal(95),
            quantity=Decimal(10),
        )
        orders.append(TradeOrder(spec, OrderStatus.OPEN, Decimal(10), stop_id, Decimal(95)))
    fills = []
    if bought:
        fills.append(a_fill(f"B{number}", f"OENTRY{number}", Side.BUY, "10", "101"))
    if sold:
        fills.append(a_fill(f"S{number}", stop_id, Side.SELL, "10", "94"))
    values = {
        "plan": plan,
        "phase": TradePhase.OPEN,
        "stop_price": Decimal(95),
        "take_profit_price": Decimal(110),
        "orders": tuple(orders),
        "fills": tuple(fills),
    }
    return TradeState(**(values | changes))


async def saved(database, number):
    async with database.account_scope("company") as session:
        query = select(TradeRow).where(TradeRow.number == number)
        return (await session.exec(query)).one()


async def test_settled_trade_has_its_profit_slippage_and_audit(journal, database):
    state = a_state(1, stop=True, sold=True, phase=TradePhase.SETTLED)
    state = replace(state, exit_reason=ExitReason.STOP_LOSS, closed_at=NOW)
    await journal.save_trade(state, "trade_settled", NOW, VERDICT)
    row = await saved(database, 1)
    fees = (Decimal(1010) + Decimal(940)) * Decimal("0.004")
    assert row.pnl == Decimal(-70) - fees
    assert row.slippage == Decimal(10) + Decimal(10)
    assert (row.exit_reason, row.phase) == ("stop_loss", "settled")
    assert verdict(row.verdict) == VERDICT
    async with database.account_scope("company") as session:
        logged = text("SELECT details FROM audit_log WHERE action = 'trade_settled'")
        details = (await session.sql(logged)).scalar_one()
    assert details["exit_reason"] == "stop_loss"


async def test_retried_save_is_audited_once(journal, database):
    for _ in range(3):
        await journal.save_trade(a_state(6), "trade_opened", NOW)
    await journal.save_trade(a_state(6), "trade_opened", NOW + timedelta(seconds=1))
    async with database.account_scope("company") as session:
        count = text("SELECT count(*) FROM audit_log WHERE correlation = 'trade/6'")
        assert (await session.sql(count)).scalar_one() == 2


async def test_verdict_stays_when_later_saves_bring_none(journal, database):
    await journal.save_trade(a_state(2), None, NOW, VERDICT)
    await journal.save_trade(a_state(2), None, NOW + timedelta(seconds=1))
    assert (await saved(database, 2)).verdict is not None


async def test_late_save_of_an_older_state_changes_nothing(journal, database):
    await journal.save_trade(a_state(3, phase=TradePhase.EXITING), None, NOW)
    await journal.save_trade(a_state(3), None, NOW - timedelta(seconds=1))
    assert (await saved(database, 3)).phase == "exiting"


async def levels(database, number):
    query = select(TradeLevelRow).where(TradeLevelRow.number == number)
    async with database.account_scope("company") as session:
        rows = (await session.exec(query.order_by(TradeLevelRow.at))).all()
    return [(row.at - NOW, row.stop_price, row.take_profit_price) for row in rows], rows


async def test_each_move_of_stop_or_target_is_kept_with_its_market_time(
    journal, database, postgres, database_name
):
    symbol, seen = a_plan().instrument.symbol, NOW - timedelta(days=400)
    with psycopg.connect(postgres.url(Role.MARKET, database_name)) as market:
        market.execute(
            """INSERT INTO market_snapshots (symbol, bid, ask, last, observed_at, stale)
               VALUES (%s, 1, 1, 1, %s, false) ON CONFLICT (symbol) DO UPDATE
                   SET observed_at = excluded.observed_at""",
            (symbol, seen),
        )
    state, minute = a_state(7), timedelta(minutes=1)
    for place, changes in enumerate(
        (
            {},
            {},
            {"stop_price": Decimal(97)},
            {"phase": TradePhase.EXITING, "stop_price": Decimal(97)},
        ),
    ):
        await journal.save_trade(replace(state, **changes), None, NOW + place * minute)
    moved = replace(state, stop_price=Decimal(97), take_profit_price=None)
    await journal.save_trade(moved, None, NOW + 5 * minute)
    found, rows = await levels(database, 7)
    assert found == [
        (0 * minute, 95, 110),
        (2 * minute, 97, 110),
        (5 * minute, 97, None),
    ]
    assert {row.market_time for row in rows} == {seen}


async def test_late_save_of_an_older_state_is_no_move(journal, database):
    await journal.save_trade(a_state(8, stop_price=Decimal(97)), None, NOW)
    await journal.save_trade(a_state(8), None, NOW - timedelta(seconds=1))
    assert (await levels(database, 8))[0] == [(timedelta(0), 97, 110)]


async def test_levels_that_were_kept_stay(journal, database):
    await journal.save_trade(a_state(9), None, NOW)
    async with database.account_scope("company") as session:
        with pytest.raises(DBAPIError, match="permission denied"):
            await session.sql(text("UPDATE trade_levels SET stop_price = 1"))


async def test_time_between_first_fill_and_stop_is_counted_unprotected(journal, database):
    state, stop_id = a_state(4, stop=True), an_exchange_id()
    entry, stop = (replace(o.spec, trade=4) for o in state.orders)
    entry_id = an_exchange_id()
    plan = replace(state.plan, requested_at=datetime.now(UTC) - timedelta(seconds=1))
    state = replace(state, plan=plan)
    await journal.store_intent(entry, NOW)
    await journal.mark_order("company", entry.client_order_id, OrderStatus.OPEN, entry_id, NOW)
    await journal.record_fills("company", [replace(state.fills[0], order_id=entry_id)])
    await journal.store_intent(stop, NOW)
    acknowledged = datetime.now(UTC) + timedelta(seconds=2)
    await journal.mark_order(
        "company", stop.client_order_id, OrderStatus.OPEN, stop_id, acknowledged
    )
    await journal.save_trade(state, None, acknowledged + timedelta(seconds=60))
    row = await saved(database, 4)
    assert row.protected_quantity == 10
    assert row.unprotected_since is None
    assert Decimal("1.9") < row.unprotected_seconds < Decimal(3)


async def test_running_gap_is_visible_and_closed_by_the_exit(journal, database):
    await journal.save_trade(a_state(5), None, NOW)
    assert (await saved(database, 5)).unprotected_since == NOW
    sold = a_state(5, sold=True, phase=TradePhase.SETTLED)
    await journal.save_trade(sold, None, NOW + timedelta(seconds=3))
    row = await saved(database, 5)
    assert (row.unprotected_since, row.unprotected_seconds) == (None, Decimal(3))


async def test_gap_is_measured_once_when_it_ends_however_often_it_is_saved(journal, database):
    figures, name = Figures(), "aether_trade_unprotected_seconds"
    running = a_state(8)
    labels = {"protection": running.plan.protection.value}
    await journal.save_trade(running, None, NOW)
    assert figures.gained(f"{name}_count", **labels) == 0
    sold = a_state(8, sold=True, phase=TradePhase.SETTLED)
    for _ in range(2):
        await journal.save_trade(sold, None, NOW + timedelta(seconds=3))
    await journal.save_trade(running, None, NOW)  # an older save arrives late
    assert figures.gained(f"{name}_count", **labels) == 1
    assert figures.gained(f"{name}_sum", **labels) == pytest.approx(3)


@given(st.lists(st.tuples(st.booleans(), st.integers(min_value=1, max_value=50)), max_size=12))
def test_gaps_add_up_to_the_time_spent_uncovered(steps):
    coverage, at, expected, was_covered = NOTHING, NOW, 0, True
    for covered, seconds in steps:
        at += timedelta(seconds=seconds)
        expected += 0 if was_covered else seconds
        coverage = cover(
            coverage,
            exposed=Decimal(1),
            protected=Decimal(1 if covered else 0),
            exposed_at=None,
            stop_at=None,
            at=at,
        )
        was_covered = covered
    running = 0 if was_covered else (at - coverage.unprotected_since).total_seconds()
    assert coverage.unprotected_seconds + Decimal(running) == expected


async def test_idea_is_recorded_once_with_its_reasons(journal, database):
    idea = Idea(
        idea_id="idea-1",
        strategy="baseline",
        strategy_version="1",
        symbol="BTC/USD",
        bar_start=NOW,
        expires_at=NOW,
        stop_price=Decimal(95),
        take_profit_price=None,
        trailing_distance=None,
        reasons=("trend", "calm"),
        target_weight=Decimal("0.4"),
        standing=StrategyStanding.DEMONSTRATION,
    )
    refusal = Verdict((Check("R-6", "costs", False, "not worth it"),))
    await journal.record_idea("company", idea, refusal, None, NOW)
    await journal.record_idea("company", idea, VERDICT, 9, NOW)
    async with database.account_scope("company") as session:
        (row,) = (await session.exec(select(IdeaRow))).all()
    assert (row.allowed, row.trade, row.reasons) == (False, None, ["trend", "calm"])
    assert (row.target_weight, row.limit_price, row.standing) == (
        Decimal("0.4"),
        None,
        "demonstration",
    )
    assert verdict(row.verdict) == refusal


async def test_account_balances_are_written_with_the_effect_of_open_trades(journal, database):
    from models.trading.trade.figures import summarise

    now = datetime.now(UTC)
    state = AccountState(
        account="company",
        installation="i",
        balances={"USD": Decimal(5000), "BTC": Decimal(1)},
        trades={7: summarise(a_state(7))},
    )
    await asyncio.gather(*(journal.save_account(state, None, "aether", {}, now) for _ in range(3)))
    async with database.account_scope("company") as session:
        rows = (await session.exec(select(BalanceRow))).all()
    assert {row.asset: row.total for row in rows} == {
        "USD": Decimal(5000) - Decimal(1010) * Decimal("1.004"),
        "BTC": Decimal(11),
    }


async def test_asset_that_the_exchange_names_no_more_is_held_no_more(journal, database):
    now = datetime.now(UTC)
    state = AccountState("company", "i", balances={"USD": Decimal(1), "LTC": Decimal(2)})
    await journal.save_account(state, None, "aether", {}, now)
    without = replace(state, balances={"USD": Decimal(3)})
    await journal.save_account(without, None, "aether", {}, now + timedelta(seconds=1))
    await journal.save_account(state, None, "aether", {}, now)  # an older one arrives late
    async with database.account_scope("company") as session:
        rows = (await session.exec(select(BalanceRow))).all()
    held = {row.asset: row.total for row in rows if row.total}
    assert held == {"USD": Decimal(3)}
    assert "LTC" in {row.asset for row in rows}


async def test_fills_of_a_settled_trade_need_not_be_told_any_more(journal):
    state, order_id = a_state(31), an_exchange_id()
    account, entry = state.plan.account, state.plan.entry
    await journal.store_intent(entry, NOW)
    await journal.mark_order(account, entry.client_order_id, OrderStatus.OPEN, order_id, NOW)
    fill = record_fill(order_id)
    await journal.record_fills(account, [fill])
    await journal.save_trade(state, None, NOW)
    assert await journal.settled_trade(account, state.plan.number) is None
    settled = replace(state, phase=TradePhase.SETTLED)
    await journal.save_trade(settled, None, NOW + timedelta(seconds=1))
    assert await journal.settled_trade(account, state.plan.number) == settled
    # Nobody has told it to its trade: that a trade is over delivers nothing.
    assert fill in await journal.undelivered_fills(account)

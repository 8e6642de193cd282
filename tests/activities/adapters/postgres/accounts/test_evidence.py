"""A settled trade's result is evidence with its settlement or not at all, and all are read."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.adapters.postgres.accounts.evidence import append_backtest
from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.orders import trade_journal
from infra.runtime.database.connections import Database, Role
from models.trading.account.entries.basis import EntryBasis
from models.trading.strategies.evidence import EvidenceSource
from models.trading.strategies.out_of_sample import OutOfSampleTrade
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradePhase
from tests.activities.adapters.postgres.orders.test_postgres_trades import a_state, saved
from tests.support.record_builders import NOW

RESULTS = text("SELECT * FROM strategy_results WHERE strategy = :strategy ORDER BY trade")


COUNTED = text(
    """SELECT details FROM audit_log WHERE action = 'backtest_counted'
       AND details ->> 'strategy' = :strategy ORDER BY sequence"""
)
FORGED = text(
    """INSERT INTO strategy_results VALUES (:strategy, :version, :source, :reference, :account,
           NULL, :symbol, 1, 1, NULL, :at, :at)"""
)


@pytest_asyncio.fixture
async def learning_database(postgres, database_name):
    learning = Database(postgres.url(Role.LEARNING, database_name))
    yield learning
    await learning.close()


def a_backtest_trade(
    strategy="fresh", version="1", symbol="BTC/USD", opened=NOW, closed=NOW + timedelta(days=1)
):
    return OutOfSampleTrade(
        strategy, version, "kraken", symbol, opened, closed, Decimal("0.02"), Decimal("0.005")
    )


async def count(database, run_id, trades):
    async with database.platform_scope() as session:
        await append_backtest(session, run_id, trades, NOW)


def settled(number, strategy, *, basis=EntryBasis.UNPROVEN, source=EvidenceSource.SIMULATION):
    state = a_state(number, stop=True, sold=True, phase=TradePhase.SETTLED)
    plan = replace(
        state.plan, strategy=strategy, strategy_version="3", basis=basis, evidence_source=source
    )
    return replace(state, plan=plan, exit_reason=ExitReason.STOP_LOSS, closed_at=NOW)


async def results(database, strategy):
    async with database.account_scope("company") as session:
        return (await session.sql(RESULTS, {"strategy": strategy})).all()


async def test_settlement_appends_the_result_once_and_marks_the_trade(journal, database):
    state = settled(101, "once")
    unsettled = replace(state, phase=TradePhase.EXITING)
    await journal.save_trade(unsettled, None, NOW - timedelta(seconds=1))
    assert await results(database, "once") == []
    for _ in range(2):
        await journal.save_trade(state, "trade_closed", NOW)
    (row,) = await results(database, "once")
    assert (row.source, row.reference, row.strategy_version) == ("simulation", "company/101", "3")
    # Decided at 100, bought at 101, sold at 94 with 0.4 % fees on both.
    assert row.move == Decimal("-0.06")
    assert abs(row.net - (Decimal(-70) - Decimal("7.8")) / 1010) < Decimal("1e-9")
    assert (row.exit_reason, row.closed_at) == ("stop_loss", NOW)
    assert (await saved(database, 101)).basis == "unproven"


async def test_result_is_not_there_when_the_settlement_is_not(journal, database, monkeypatch):
    async def fail(*_args, **_kwargs):
        raise RuntimeError("the audit row could not be written")

    monkeypatch.setattr(trade_journal.audit, "append", fail)
    with pytest.raises(RuntimeError):
        await journal.save_trade(settled(102, "torn"), "trade_closed", NOW)
    assert await results(database, "torn") == []


async def test_late_execution_corrects_the_result_and_an_older_save_does_not(journal, database):
    state = settled(103, "late")
    await journal.save_trade(state, None, NOW)
    sale = replace(state.fills[1], price=Decimal(104), cost=Decimal(1040))
    corrected = replace(state, fills=(state.fills[0], sale))
    await journal.save_trade(corrected, None, NOW + timedelta(seconds=5))
    await journal.save_trade(state, None, NOW)
    (row,) = await results(database, "late")
    assert row.move == Decimal("0.04")


async def test_trade_of_a_person_is_no_evidence(journal, database):
    own = replace(a_state(105, stop=True, sold=True, phase=TradePhase.SETTLED), closed_at=NOW)
    await journal.save_trade(own, None, NOW)
    assert await results(database, "") == []


async def test_market_worker_reads_the_evidence_of_all_sources(journal, learning_database, record):
    for number in (106, 107):
        await journal.save_trade(settled(number, "read"), None, NOW)
    live = settled(108, "read", source=EvidenceSource.LIVE)
    await journal.save_trade(live, None, NOW)
    trade = a_backtest_trade(strategy="read", version="3", symbol="ETH/USD")
    await count(learning_database, "run0", [trade])
    found = await record.evidence("read", "3")
    assert [(one.source, one.results) for one in found.sources] == [
        (EvidenceSource.LIVE, 1),
        (EvidenceSource.SIMULATION, 2),
        (EvidenceSource.BACKTEST, 1),
    ]
    assert found.sources[2].mean_net == Decimal("0.005")
    assert (await record.evidence("read", "4")).sources == ()


async def test_backtest_counts_once_whatever_repeats_it_and_is_audited(
    database, learning_database, record
):
    first = a_backtest_trade(opened=NOW, closed=NOW + timedelta(days=3))
    later = a_backtest_trade(opened=NOW + timedelta(days=4), closed=NOW + timedelta(days=6))
    overlapping = replace(later, opened_at=later.opened_at + timedelta(days=1), series="other")
    await count(learning_database, "run1", [first])
    await count(learning_database, "run1", [first])
    await count(learning_database, "run2", [first, later, overlapping])
    (source,) = (await record.evidence("fresh", "1")).sources
    assert (source.source, source.results) == (EvidenceSource.BACKTEST, 2)
    async with database.platform_scope() as session:
        rows = (await session.sql(COUNTED, {"strategy": "fresh"})).all()
    assert [
        (row.details["backtest"], row.details["counted"], row.details["counted_before"])
        for row in rows
    ] == [("run1", "1", "0"), ("run1", "0", "1"), ("run2", "1", "2")]


async def test_research_adds_results_of_backtests_and_no_others(learning_database):
    row = {
        "strategy": "forged", "version": "1", "source": "live", "reference": "company/1",
        "account": "platform", "symbol": "BTC/USD", "at": NOW,
    }  # fmt: skip
    for changed in ({}, {"source": "backtest", "account": "company"}):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with learning_database.account_scope((row | changed)["account"]) as session:
                await session.sql(FORGED, row | changed)


async def test_market_worker_does_not_see_whose_results_they_are(market_database):
    for column in ("account_id", "reference", "trade"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with market_database.no_scope() as session:
                await session.sql(text(f"SELECT {column} FROM strategy_results"))


async def test_net_results_of_a_run_are_those_of_what_the_account_follows(journal, database):
    mark = text(
        "INSERT INTO nav_marks (account_id, at, equity, cash) VALUES ('company', :at, 1, 1)"
    )
    async with database.account_scope("company") as session:
        for hours in (-1, 1):
            await session.sql(mark, {"at": NOW + timedelta(hours=hours)})
    await journal.save_trade(settled(109, "baseline"), None, NOW)
    await journal.save_trade(settled(110, "another"), None, NOW)
    before = replace(settled(111, "baseline"), closed_at=NOW - timedelta(hours=2))
    await journal.save_trade(before, None, NOW)
    modes = PostgresModes(database)
    run = await modes.simulation_run("company")
    assert run is not None
    assert [round(one, 6) for one in run.net_results] == [Decimal("-0.077030")]
    asked = await modes.ask_to_go_live("company", "Dora", "it is time", NOW, "approval-1")
    written = await modes.ask_to_go_live(
        "company", "Dora", "it is time", NOW, "approval-2", overrides_evidence=True
    )
    assert (asked.overrides_evidence, written.overrides_evidence) == (False, True)
    assert written.number == asked.number + 1
    request = await modes.live_request("company", NOW)
    assert request is not None
    assert request.overrides_evidence

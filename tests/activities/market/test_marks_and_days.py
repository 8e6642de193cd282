"""Marks of equity, the market's clock of days, and flows read out of a ledger."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.accounts import day_clock
from activities.accounts.capital import LEDGER_MARGIN, read_ledger
from activities.accounts.day_clock import DayClock
from activities.accounts.day_closing import PATIENCE, DayActivities
from activities.market.marks import EquityWatch
from models.contracts.days import DaysToMeasure
from models.trading.account.capital.facts import FlowNoted
from models.trading.account.state import AccountState
from models.trading.risk.drawdown import ONE, start
from tests.support.fakes import FakeExchange, FakeJournal
from tests.support.market_fakes import START, FakeMarketRecord
from tests.support.temporal import eventually

BTC = "BTC/USD"


async def test_account_is_told_when_its_equity_has_moved_by_a_thousandth() -> None:
    record = FakeMarketRecord(held={"company": {"USD": Decimal(50), "BTC": Decimal(1)}})
    watch = EquityWatch(record)
    prices = ["50", "50.09", "50.11", "50.20", "50.22"]
    told = [bool(await watch.mark(START, {BTC: Decimal(price)})) for price in prices]
    assert told == [True, False, True, False, True]
    assert [mark.equity for mark in record.equity] == [50 + Decimal(price) for price in prices]


async def test_asset_without_a_pair_counts_nothing_and_ends_no_record() -> None:
    held = {"USD": Decimal(50), "BTC": Decimal(1), "BTC.S": Decimal(3)}
    record = FakeMarketRecord(held={"company": held})
    await EquityWatch(record).mark(START, {BTC: Decimal(50)}, {BTC})
    assert [mark.equity for mark in record.equity] == [Decimal(100)]


async def test_account_is_told_of_prices_that_it_did_not_have() -> None:
    record = FakeMarketRecord(held={"company": {"USD": Decimal(10**6), "BTC": Decimal("0.001")}})
    watch = EquityWatch(record)
    first = await watch.mark(START, {})
    assert first["company"].prices == {}
    assert record.equity == [], "an asset has no price"
    assert (await watch.mark(START, {BTC: Decimal(50)}))["company"].prices == {BTC: Decimal(50)}
    assert await watch.mark(START, {BTC: Decimal(50)}) == {}


async def test_account_is_told_once_that_a_price_is_not_known_any_more() -> None:
    record = FakeMarketRecord(held={"company": {"USD": Decimal(50), "BTC": Decimal(1)}})
    watch = EquityWatch(record)
    prices = {BTC: Decimal(50)}
    await watch.mark(START, prices, {BTC})
    assert await watch.mark(START, prices, {BTC}) == {}
    gone = await watch.mark(START, {}, {BTC})
    assert gone["company"].unpriced == (BTC,)
    assert len(record.equity) == 2, "an unknown value is not recorded"
    assert await watch.mark(START, {}, {BTC}) == {}
    assert (await watch.mark(START, prices, {BTC}))["company"].prices == prices


async def test_account_hears_of_prices_again_though_nothing_has_moved() -> None:
    record = FakeMarketRecord(held={"company": {"USD": Decimal(50), "BTC": Decimal(1)}})
    watch = EquityWatch(record)
    told = []
    for minutes in (0, 29, 30, 59, 61):
        at = START + timedelta(minutes=minutes)
        told.append((await watch.mark(at, {BTC: Decimal(50)}, {BTC})).get("company"))
    assert [fact is not None for fact in told] == [True, False, True, False, True]
    assert {fact.again_within for fact in told if fact} == {timedelta(minutes=30)}


async def test_exit_fee_of_an_accounts_settings_is_taken_off_its_marks() -> None:
    held = {"USD": Decimal(50), "BTC": Decimal(1)}
    record = FakeMarketRecord(held={"company": held, "other": held})
    asked = []

    async def fees() -> dict[str, Decimal]:
        asked.append(1)
        return {"company": Decimal("0.01")}

    watch = EquityWatch(record, fees)
    for seconds in (0, 30, 60):
        await watch.mark(START + timedelta(seconds=seconds), {BTC: Decimal(50)}, {BTC})
    assert [mark.equity for mark in record.equity][:2] == [Decimal("99.5"), Decimal(100)]
    assert len(asked) == 2


class Ends:
    """Boundaries as a test sets them, and what was asked to close."""

    def __init__(self, **ends: datetime) -> None:
        self.ends, self.asked, self.closed = ends, 0, []

    async def next_boundaries(self) -> dict[str, datetime]:
        self.asked += 1
        return dict(self.ends)

    async def close(self, account: str, at: datetime) -> None:
        self.closed.append((account, at))


async def test_day_is_closed_when_market_time_passes_its_end() -> None:
    hour = timedelta(hours=1)
    ends = Ends(company=START + hour, other=START + 2 * hour)
    clock = DayClock(ends, ends.close)
    assert await clock.tick(START) == 0
    assert await clock.tick(START + hour / 2) == 0
    assert ends.asked == 1
    assert await clock.tick(START + hour) == 1
    assert ends.closed == [("company", START + hour)]
    # Not closed yet by the record: it is due again, until the record tells of the next end.
    assert await clock.tick(START + hour) == 1
    ends.ends["company"] = START + 25 * hour
    assert await clock.tick(START + hour) == 0


async def test_account_whose_day_cannot_be_closed_holds_up_nobody() -> None:
    stuck = asyncio.Event()
    ends = Ends(company=START, other=START)

    async def close(account: str, at: datetime) -> None:
        if account == "company":
            await stuck.wait()
        await ends.close(account, at)

    clock = DayClock(ends, close)
    assert await clock.tick(START, wait=False) == 2
    await eventually(lambda: ends.closed == [("other", START)], "the other one's day is closed")
    await clock.tick(START, wait=False)
    stuck.set()
    await clock.tick(START)
    assert [account for account, _ in ends.closed].count("company") == 1


async def test_boundaries_are_asked_for_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(day_clock, "KNOWN_SECONDS", -1.0)
    ends = Ends(company=START + timedelta(days=1))
    clock = DayClock(ends, ends.close)
    for _ in range(3):
        await clock.tick(START)
    assert ends.asked == 3


async def test_day_is_measured_when_all_news_of_it_have_come_or_have_been_waited_for_long() -> None:
    journal, level = FakeJournal(), {"company": False}
    state = AccountState("company", "an-installation", drawdown=start(ONE, START.date(), START))
    journal.saved_accounts["company"] = state
    measuring = ActivityEnvironment()
    waited = measuring.info.scheduled_time
    days = DayActivities(journal, Nobody(), lambda: waited, is_level=level.__getitem__)
    wish = DaysToMeasure("company", START + timedelta(days=1))
    with pytest.raises(ApplicationError, match="what its exchange has to tell"):
        await measuring.run(days.measure_days, wish)
    assert (await measuring.run(days.measure_days, replace(wish, until=START))).boundaries == ()
    level["company"] = True
    (known,) = (await measuring.run(days.measure_days, wish)).boundaries
    level["company"] = False
    waited += PATIENCE
    assert (await measuring.run(days.measure_days, wish)).boundaries == (
        replace(known, sent_at=waited),
    )


class Nobody:
    """Nobody is told anything."""

    async def signal_account(self, account: str, facts: object) -> bool:
        raise AssertionError(account)


async def test_ledger_is_read_from_where_the_record_has_it() -> None:
    exchange, journal = FakeExchange(), FakeJournal()
    exchange.book("first", "USD", Decimal(100))
    exchange.book("coins", "BTC", Decimal(2))
    (flow,) = (await read_ledger(exchange, journal, "company")).flows
    assert (flow.asset, flow.value, flow.author) == ("USD", 100, "exchange")
    await journal.save_flows("company", [FlowNoted(flow)])
    assert (await read_ledger(exchange, journal, "company")).flows == ()
    assert journal.ledgers_read == {}, "a flow without a price waits for one"
    journal.asset_prices["BTC"] = Decimal(50)
    (coins,) = (await read_ledger(exchange, journal, "company")).flows
    assert (coins.amount, coins.value) == (2, 100)
    await journal.save_flows("company", [FlowNoted(coins)])
    assert (await read_ledger(exchange, journal, "company")).flows == ()
    newest = exchange.bookings[-1].exchange_time
    assert journal.ledgers_read["company"] == newest - LEDGER_MARGIN
    assert newest <= datetime.now(UTC)

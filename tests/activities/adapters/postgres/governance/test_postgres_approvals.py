"""Approvals, reviews of the hedge and its market in the real record."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import text

from activities.adapters.postgres.accounts.hedge_market import PostgresHedgeMarket
from models.tables import ApprovalRow, HedgeReviewRow
from models.trading.account.hedge.facts import HedgeRecord
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.governance.subjects import Subject
from models.trading.hedge.override import HedgeOverride
from models.trading.market import MarketSnapshot
from models.trading.trade.facts import HEDGE_WATCH, Direction, PriceWatch, WatchKind
from tests.support.record_builders import NOW


def a_request(**changes):
    request = ApprovalRequest(
        str(uuid4()),
        Subject.ENTRY,
        "director",
        "buy",
        NOW,
        NOW + timedelta(hours=1),
        Decimal("15000.50"),
    )
    return replace(request, **changes)


async def test_request_is_kept_decided_once_and_audited(journal, database):
    request = a_request(symbol="BTC/USD")
    await journal.save_approval("company", request, None)
    await journal.save_approval("company", request, None)
    approved = replace(request, status=ApprovalStatus.APPROVED, decided_by="second", decided_at=NOW)
    outcome = Answer(request.request_id, "accepted", "buying", trade=7)
    await journal.save_approval("company", approved, outcome)
    late = replace(request, status=ApprovalStatus.EXPIRED, decided_at=NOW)
    await journal.save_approval("company", late, None)
    async with database.account_scope("company") as session:
        row = await session.get_one(ApprovalRow, ("company", request.request_id))
        actions = await session.sql(
            text("SELECT action, actor FROM audit_log WHERE correlation = :c ORDER BY sequence"),
            {"c": f"approval/{request.request_id}"},
        )
        found = [(r.action, r.actor) for r in actions.all()]
    assert (row.status, row.trade, row.outcome_code) == ("approved", 7, "accepted")
    assert row.request() == replace(approved, trade=7)
    assert found[:2] == [("approval_asked", "director"), ("approval_approved", "second")]
    async with database.account_scope("director-1") as session:
        assert await session.get(ApprovalRow, ("company", request.request_id)) is None


async def test_review_of_the_hedge_is_kept_once(journal, database):
    record = HedgeRecord(
        review_id=f"hedge/{uuid4()}",
        cause="time",
        at=NOW,
        decided_at=NOW,
        target=Decimal("0.5"),
        automatic_target=Decimal("0.4"),
        actual=Decimal("0.25"),
        equity=Decimal(100000),
        volatility=None,
        drawdown=Decimal("0.01"),
        override=HedgeOverride(Decimal("0.5"), "director", "storm", NOW, NOW + timedelta(days=1)),
        move="sell volatile assets",
        value=Decimal(25000),
        reason="",
        trades=(1, 2),
        fees=Decimal("1.5"),
        turnover=Decimal(500),
        lacking={"BTC": Decimal("0.125")},
        profit=Decimal("-1.5"),
    )
    for _ in range(2):
        await journal.record_hedge_review("company", record)
    async with database.account_scope("company") as session:
        row = await session.get_one(HedgeReviewRow, ("company", record.review_id))
    assert row.override_author == "director"
    assert (row.trades, row.lacking) == ([1, 2], {"BTC": "0.125"})
    assert row.profit == Decimal("-1.5")


async def test_hedge_sees_what_its_account_holds_or_lacks(journal, database, record):
    old = NOW - timedelta(hours=7)
    for symbol, measured in (("BTC/USD", NOW), ("ETH/USD", NOW), ("SOL/USD", old)):
        seen = MarketSnapshot(
            symbol,
            Decimal(99),
            Decimal(101),
            Decimal(100),
            NOW,
            measured_at=measured,
            daily_volatility=Decimal("0.03") if measured is NOW else Decimal("0.90"),
        )
        await record.save_snapshots([seen])
    await journal.save_balances("director-1", {"USD": Decimal(1), "ETH": Decimal(2)}, NOW)
    market = PostgresHedgeMarket(database)
    found = await market.hedge_market("director-1")
    assert [m.symbol for m in found.held] == ["ETH/USD"]
    assert found.volatilities == {"ETH/USD": Decimal("0.03")}
    assert found.market_volatility == Decimal("0.03")  # one measured hours ago is not known
    assert found.market_at is not None
    seen = await market.hedge_market("company")
    assert "BTC/USD" in {m.symbol for m in seen.held}


async def test_moments_are_watched_like_prices(journal, record):
    due = NOW + timedelta(hours=1)
    watch = PriceWatch(
        "w-1", "company", HEDGE_WATCH, "", WatchKind.TIME, Direction.COMES, Decimal(0), due
    )
    await journal.set_watches("company", HEDGE_WATCH, [watch])
    assert watch in await record.active_watches()
    assert await record.mark_triggered(watch, Decimal(0), due)
    assert watch not in await record.active_watches()

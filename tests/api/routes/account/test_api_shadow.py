"""Two accounts on the same ideas, compared over the API."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from models.trading.account.facts import IdeaArrived
from models.trading.ideas import Idea
from models.trading.market import MarketSnapshot
from tests.support.books import a_book
from tests.support.fakes import BITCOIN
from tests.support.platform import PRICE, a_key
from tests.support.temporal import eventually


def an_idea():
    now = datetime.now(UTC)
    idea = Idea(
        idea_id=str(uuid4()),
        strategy="trend",
        strategy_version="1",
        symbol=BITCOIN.symbol,
        bar_start=now,
        expires_at=now.replace(year=now.year + 1),
        stop_price=PRICE * Decimal("0.98"),
        take_profit_price=PRICE * Decimal("1.05"),
        trailing_distance=None,
    )
    market = MarketSnapshot(
        BITCOIN.symbol,
        PRICE - 1,
        PRICE + 1,
        PRICE,
        now,
        PRICE / 1000,
        Decimal("0.001"),
        measured_at=now,
        book=a_book(PRICE - 1, PRICE + 1),
        book_at=now,
    )
    return IdeaArrived(idea, market, now)


async def test_decisions_on_one_idea_are_matched_and_the_halted_side_named(platform):
    account, shadow = await platform.add_account(), await platform.add_account()
    for name in (account, shadow):
        await platform.start_account(name)
    halt = f"/api/v1/accounts/{shadow}/halt"
    await platform.caller.post(halt, json={"reason": "a different path"}, headers=a_key())
    fact = an_idea()
    for name in (account, shadow):
        handle = platform.services.client.get_workflow_handle(f"account/{name}")
        await handle.signal("idea_arrived", fact)
    path = f"/api/v1/accounts/{account}/shadows/{shadow}"

    async def compared():
        found = (await platform.caller.get(path)).json()
        ideas = found["ideas"]
        seen = bool(ideas) and ideas[0]["shadow"] and ideas[0]["account"]
        return found if seen and ideas[0]["account"]["traded"] else None

    found = await eventually(compared, "both decisions are recorded")
    (idea,) = found["ideas"]
    assert (idea["idea_id"], idea["agreement"]) == (fact.idea.idea_id, "only_account")
    assert idea["shadow"]["failed"] == ["account-halted"]
    assert found["counts"]["only_account"] == 1
    itself = await platform.caller.get(f"/api/v1/accounts/{account}/shadows/{account}")
    assert itself.json()["type"] == "urn:aether:problem:no-shadow"

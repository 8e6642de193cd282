"""Costs come from the account's own fees and the book, and say when they do not."""

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.account.entries.book_costs import BookLevel, BookView, slippage_share, walk
from models.trading.account.entries.claims import Claim, Claimant
from models.trading.account.entries.worth import (
    FeeSource,
    SlippageSource,
    WorthRequest,
    estimate_costs,
    judge_worth,
)
from models.trading.risk.limits import FeeRates
from models.trading.universe.fees import BOTTOM_TIER
from tests.models.trading.trading_builders import a_claim


def levels(*rows: tuple[str, str]) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(Decimal(price), Decimal(quantity)) for price, quantity in rows)


BOOK = BookView(
    bids=levels(("99.5", "1"), ("99", "1"), ("98", "8")),
    asks=levels(("100.5", "1"), ("101", "1"), ("102", "8")),
)


def expecting(move: str | Decimal) -> Claim:
    """A claim whose target is so far above the entry."""
    target = Decimal(100) * (1 + Decimal(move))
    return a_claim(by=Claimant.PERSON, target_price=target)


REQUEST = WorthRequest(
    quantity=Decimal(2),
    bid=Decimal("99.5"),
    ask=Decimal("100.5"),
    claim=expecting("0.03"),
    rates=FeeRates(Decimal("0.0025"), Decimal("0.004")),
    book=BOOK,
    assumed_slippage=Decimal("0.0005"),
    reward_to_cost_minimum=Decimal("1.2"),
)


def test_the_book_is_walked_level_by_level() -> None:
    walked = walk(BOOK.asks, Decimal(2))
    assert (walked.average_price, walked.worst_price) == (Decimal("100.75"), Decimal(101))
    assert walked.complete
    short = walk(BOOK.asks, Decimal(11))
    assert (short.quantity, short.complete) == (10, False)
    assert walk((), Decimal(1)).average_price is None
    assert slippage_share(BOOK.asks, Decimal(11)) is None


def test_the_move_must_be_worth_fees_spread_and_slippage() -> None:
    worth = judge_worth(REQUEST)
    costs = worth.costs
    assert costs is not None
    assert (costs.entry_fee, costs.exit_fee, costs.spread) == (
        Decimal("0.004"),
        Decimal("0.004"),
        Decimal("0.01"),
    )
    assert costs.entry_slippage == Decimal("0.25") / Decimal("100.5")
    assert costs.exit_slippage == Decimal("0.25") / Decimal("99.5")
    assert (costs.fee_source, costs.slippage_source) == (FeeSource.ACCOUNT, SlippageSource.BOOK)
    assert worth.verdict.allowed
    refused = judge_worth(replace(REQUEST, claim=expecting("0.02"))).verdict
    assert [check.code for check in refused.failures] == ["not-worth-costs"]
    assert refused.failures[0].limit == costs.total * Decimal("1.2")
    parts = (costs.entry_fee, costs.exit_fee, costs.spread, costs.entry_slippage)
    assert costs.total == sum(parts, costs.exit_slippage)
    enough = expecting((costs.total * Decimal("1.2")).quantize(Decimal("1e-12"), ROUND_CEILING))
    assert judge_worth(replace(REQUEST, claim=enough)).verdict.allowed


def test_what_is_not_known_is_replaced_by_the_dearest_and_said() -> None:
    worth = judge_worth(replace(REQUEST, rates=None, book=None))
    assert worth.costs is not None
    assert worth.costs.fee_source is FeeSource.PUBLISHED_BOTTOM_TIER
    assert worth.costs.entry_fee == BOTTOM_TIER.taker
    assert worth.costs.entry_slippage == Decimal("0.0005")
    assert worth.verdict.checks[0].reason.endswith(
        "(fees of the published bottom tier, slippage assumed)"
    )
    unknown = judge_worth(replace(REQUEST, claim=a_claim(by=Claimant.PERSON)))
    assert unknown.verdict.allowed
    assert "no expectation given" in unknown.verdict.checks[0].reason


def test_a_book_that_cannot_take_the_quantity_refuses() -> None:
    verdict = judge_worth(replace(REQUEST, quantity=Decimal(11))).verdict
    assert [check.code for check in verdict.failures] == ["book-too-thin"]


def test_a_resting_entry_pays_the_maker_rate_and_half_the_spread() -> None:
    costs = estimate_costs(replace(REQUEST, maker_entry=True))
    assert costs is not None
    assert (costs.entry_fee, costs.exit_fee) == (Decimal("0.0025"), Decimal("0.004"))
    assert (costs.spread, costs.entry_slippage) == (Decimal("0.005"), 0)


@given(
    st.lists(
        st.tuples(st.decimals("0.01", "5", places=2), st.decimals("0", "9", places=2)),
        min_size=1,
        max_size=8,
    ),
    st.decimals("0.01", "40", places=2),
    st.decimals("0.01", "10", places=2),
)
def test_more_never_trades_at_a_better_price(
    rows: list[tuple[Decimal, Decimal]], quantity: Decimal, more: Decimal
) -> None:
    price, asks = Decimal(100), []
    for step, size in rows:
        price += step
        asks.append(BookLevel(price, size))
    small, large = slippage_share(asks, quantity), slippage_share(asks, quantity + more)
    assert large is None or (small is not None and small <= large)
    walked = walk(asks, quantity)
    assert walked.quantity == min(quantity, sum(size for _, size in rows))
    assert walked.average_price is None or asks[0].price <= walked.average_price <= price

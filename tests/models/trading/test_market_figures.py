"""Figures of a book and of the trades in it."""

from decimal import Decimal

from models.trading.account.entries.book_costs import BookLevel, BookView
from models.trading.market_figures import TOXICITY_MINUTES, TradeFlow, book_figures


def levels(*pairs):
    return tuple(BookLevel(Decimal(price), Decimal(quantity)) for price, quantity in pairs)


def test_book_leans_to_the_side_that_shows_more():
    found = book_figures(
        BookView(levels((99, 3), (98.5, 3), (90, 50)), levels((101, 1), (101.5, 1)))
    )
    assert found.spread_share == Decimal("0.02")
    assert (found.bid_depth, found.ask_depth) == (6, 2)
    assert found.imbalance == Decimal("0.5")
    # Three times as much is bid: the next trade is nearer to the ask.
    assert found.microprice == Decimal("100.5")


def test_book_without_a_side_has_no_figures():
    assert book_figures(BookView((), levels((101, 1)))) is None
    assert book_figures(BookView(levels((99, 1)), ())) is None


def test_flow_is_counted_by_the_taker_and_toxic_when_one_sided():
    flow = TradeFlow()
    for minute in range(TOXICITY_MINUTES):
        flow.add(Decimal(3), is_buy=True)
        flow.add(Decimal(1), is_buy=False)
        bought, sold, share = flow.close_minute()
        assert (bought, sold) == (3, 1)
        assert share == (None if minute < TOXICITY_MINUTES - 1 else Decimal("0.5"))
    assert flow.close_minute() == (0, 0, Decimal("0.5"))

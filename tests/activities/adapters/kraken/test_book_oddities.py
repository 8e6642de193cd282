"""Our book beside a slow one of exact numbers: what falls off, repeats, lacks a checksum."""

from decimal import Decimal
from zlib import crc32

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters.kraken.feed.book import Book
from activities.adapters.kraken.feed.state import FeedState
from activities.adapters.kraken.instruments import usd_spot_instruments
from activities.ports.market import FeedStatus
from tests.support.kraken_rows import PAIRS

DEPTH = 10
AT = "2026-07-19T17:54:39.753424Z"


class SlowBook:
    """The protocol's own words: entries in order, cut to the depth, digits without the point."""

    def __init__(self, price_precision: int, quantity_precision: int) -> None:
        self.places = (price_precision, quantity_precision)
        self.sides: dict[str, dict[Decimal, Decimal]] = {"asks": {}, "bids": {}}

    def update(self, data) -> None:
        for name, side in self.sides.items():
            for level in data[name]:
                price, quantity = Decimal(str(level["price"])), Decimal(str(level["qty"]))
                side[price] = quantity
                if not quantity:
                    side.pop(price)
            for price in self.best(name)[DEPTH:]:
                del side[price]

    def best(self, name: str) -> list[Decimal]:
        return sorted(self.sides[name], reverse=name == "bids")

    def checksum(self) -> int:
        text = ""
        for name, side in self.sides.items():
            for price in self.best(name):
                for number, places in zip((price, side[price]), self.places, strict=True):
                    text += f"{number:.{places}f}".replace(".", "").lstrip("0")
        return crc32(text.encode())

    def levels(self):
        bids, asks = (
            [(price, self.sides[name][price]) for price in self.best(name)]
            for name in ("bids", "asks")
        )
        return bids, asks


def levels(*rows):
    return [{"price": price, "qty": quantity} for price, quantity in rows]


def ten(first: float, step: float):
    return levels(*((round(first + step * number, 1), 1.5) for number in range(DEPTH)))


@pytest.fixture
def books():
    book, slow = Book(1, 8, DEPTH), SlowBook(1, 8)
    snapshot = {"bids": ten(63999.9, -0.1), "asks": ten(64000.1, 0.1)}
    slow.update(snapshot)
    assert book.replace({**snapshot, "checksum": slow.checksum()})
    return book, slow


def test_the_eleventh_level_falls_off_and_does_not_come_back_by_itself(books):
    book, slow = books
    closer = {"bids": levels((64000.0, 2.0)), "asks": []}
    slow.update(closer)
    assert book.update({**closer, "checksum": slow.checksum()})
    bids, _ = book.levels()
    assert len(bids) == DEPTH
    assert (bids[0][0], bids[-1][0]) == (Decimal("64000.0"), Decimal("63999.1"))
    gone = {"bids": levels((64000.0, 0)), "asks": []}
    slow.update(gone)
    assert book.update({**gone, "checksum": slow.checksum()})
    bids, asks = book.levels()
    assert (len(bids), len(asks)) == (DEPTH - 1, DEPTH)
    assert bids[-1][0] == Decimal("63999.1")


def test_levels_beyond_the_depth_are_cut_after_the_whole_update_and_not_within_it(books):
    """One comes in front and goes again: all ten stay, and the one behind them does not."""
    book, slow = books
    update = {"bids": levels((64000.0, 1.0), (63998.9, 1.0), (64000.0, 0)), "asks": []}
    slow.update(update)
    assert book.update({**update, "checksum": slow.checksum()})
    bids, _ = book.levels()
    assert (bids[0][0], bids[-1][0]) == (Decimal("63999.9"), Decimal("63999.0"))


@pytest.mark.parametrize(
    ("quantities", "left"), [((1.0, 0, 3.0), 3), ((0, 2.0, 0), 0), ((3.0, 2.0, 1.0), 1)]
)
def test_one_price_three_times_in_one_update_ends_as_it_was_said_last(books, quantities, left):
    book, slow = books
    update = {"bids": [], "asks": levels(*((64000.1, quantity) for quantity in quantities))}
    slow.update(update)
    assert book.update({**update, "checksum": slow.checksum()})
    _, asks = book.levels()
    assert dict(asks).get(Decimal("64000.1"), 0) == left
    assert [price for price, _ in asks] == slow.best("asks")


def test_an_update_without_a_checksum_is_applied_and_the_next_one_proves_it(books):
    book, slow = books
    silent = {"bids": levels((64000.0, 2.0)), "asks": levels((64000.1, 0))}
    slow.update(silent)
    assert book.update(silent)
    assert book.best_bid() == (Decimal("64000.0"), Decimal(2))
    assert book.best_ask()[0] == Decimal("64000.2")
    said = {"bids": [], "asks": levels((64000.3, 7.0))}
    slow.update(said)
    assert not book.update({**said, "checksum": slow.checksum() + 1})
    assert book.update({**said, "checksum": slow.checksum()})


def test_a_feed_stays_healthy_by_an_update_without_a_checksum_and_not_by_a_wrong_one():
    state = FeedState(("BTC/USD",), 1, DEPTH)
    state.learn_instruments({"BTC/USD": usd_spot_instruments(PAIRS)["BTC/USD"]})

    def take(kind, checksum=None):
        row = {"symbol": "BTC/USD", "bids": levels((63999.9, 1)), "asks": levels((64000.1, 1))}
        row |= {"timestamp": AT} | ({} if checksum is None else {"checksum": checksum})
        frame = {"channel": "book", "type": kind, "data": [row]}
        told = state.take(orjson.dumps(frame))
        return [(one.healthy, one.reason) for one in told if isinstance(one, FeedStatus)]

    assert take("snapshot") == [(True, "")]
    assert take("update") == []
    assert state.checksum_failures == 0
    assert take("update", 1)[-1][0] is False
    assert state.checksum_failures == 1


def test_a_pair_of_nine_decimals_keeps_every_digit():
    book, slow = Book(9, 5, DEPTH), SlowBook(9, 5)
    tiny = {
        "bids": levels((0.00000064, 123456789.12345), (0.000000639, 0.00001)),
        "asks": levels(("0.000000641", "5"), ("0.000000650", "1E+2")),
    }
    slow.update(tiny)
    assert book.replace({**tiny, "checksum": slow.checksum()})
    assert book.best_bid() == (Decimal("0.000000640"), Decimal("123456789.12345"))
    assert str(book.best_ask()[0]) == "6.41E-7"
    assert book.depth_quantity() == 5
    assert book.levels() == slow.levels()


PRICES = st.integers(1, 14).map(lambda step: round(100 + step / 10, 1))
UPDATES = st.lists(
    st.lists(st.tuples(PRICES, st.sampled_from([0, 0, 0.5, 1.25, 3])), max_size=6), max_size=8
)


@settings(max_examples=200, deadline=None)
@given(UPDATES, UPDATES)
def test_it_is_the_slow_book_after_any_updates(bids, asks):
    book, slow = Book(1, 8, DEPTH), SlowBook(1, 8)
    for number in range(max(len(bids), len(asks))):
        update = {
            name: levels(*(rows[number] if number < len(rows) else ()))
            for name, rows in (("bids", bids), ("asks", asks))
        }
        slow.update(update)
        assert book.update({**update, "checksum": slow.checksum()})
        assert book.levels() == slow.levels()

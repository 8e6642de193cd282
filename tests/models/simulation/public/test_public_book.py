import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.simulation.public.book_lines import (
    DEPTHS,
    BookLines,
    ChecksumMismatchError,
    MirroredBook,
)
from models.simulation.steps import Level
from tests.support.public_market import levels
from tests.support.recordings import needs_recordings, websocket_frames

DOCUMENTED_ASKS = (
    "45285.2/0.00100000 45286.4/1.54571953 45286.6/1.54571109 45289.6/1.54560911 "
    "45290.2/0.15890660 45291.8/1.54553491 45294.7/0.04454749 45296.1/0.35380000 "
    "45297.5/0.09945542 45299.5/0.18772827"
)
DOCUMENTED_BIDS = (
    "45283.5/0.10000000 45283.4/1.54582015 45282.1/0.10000000 45281.0/0.10000000 "
    "45280.3/1.54592586 45279.0/0.07990000 45277.6/0.03310103 45277.5/0.30000000 "
    "45277.3/1.54602737 45276.6/0.15445238"
)
DOCUMENTED_CHECKSUM = 3310070434


def documented(text):
    return levels(tuple(pair.split("/")) for pair in text.split())


def test_checksum_of_the_documented_example_is_the_documented_one():
    lines = BookLines(1, 8)
    lines.replace(documented(DOCUMENTED_BIDS), documented(DOCUMENTED_ASKS), 0)
    assert lines.checksum() == DOCUMENTED_CHECKSUM
    digits = "".join(line.digits for line in (*lines.asks, *lines.bids))
    assert digits.startswith("452852100000452864154571953")
    assert len(digits) == 281


def test_mirrored_book_accepts_the_documented_checksum_and_refuses_another():
    book = MirroredBook(10, 1, 8)
    bids, asks = documented(DOCUMENTED_BIDS), documented(DOCUMENTED_ASKS)
    book.snapshot(bids, asks, DOCUMENTED_CHECKSUM)
    with pytest.raises(ChecksumMismatchError):
        book.update([Level(bids[0].price, Decimal(1))], [], DOCUMENTED_CHECKSUM)


@needs_recordings
@pytest.mark.recordings
def test_mirrored_book_reproduces_every_recorded_checksum():
    book = MirroredBook(10, 1, 8)
    verified = 0
    for line in websocket_frames("book_BTC-USD_depth10_20260719T175439Z.jsonl"):
        frame = json.loads(line, parse_float=Decimal)
        if frame.get("channel") != "book":
            continue
        (row,) = frame["data"]
        sides = [[Level(x["price"], x["qty"]) for x in row[side]] for side in ("bids", "asks")]
        apply = book.snapshot if frame["type"] == "snapshot" else book.update
        apply(*sides, row["checksum"])
        verified += 1
    assert verified == 1254


@st.composite
def books(draw):
    prices = draw(st.lists(st.integers(1, 60), min_size=1, max_size=45, unique=True))
    split = draw(st.integers(0, 60))
    quantity = st.integers(1, 3)
    made = {price: Level(Decimal(price) / 10, Decimal(draw(quantity))) for price in prices}
    bids = tuple(made[price] for price in sorted(prices, reverse=True) if price <= split)
    asks = tuple(made[price] for price in sorted(prices) if price > split)
    return bids, asks


@given(st.lists(books(), min_size=2, max_size=8), st.sampled_from((10, 25)))
@settings(max_examples=150, deadline=None)
def test_book_changes_keep_a_mirror_of_each_depth_in_step(history, depth):
    lines, mirror = BookLines(1, 8), MirroredBook(depth, 1, 8)
    (bids, asks), *later = history
    lines.replace(bids, asks, 0)
    mirror.snapshot(bids[:depth], asks[:depth], lines.checksum())
    for bids, asks in later:
        lines.replace(bids, asks, 0)
        changed_bids, changed_asks = lines.changes(depth)
        mirror.update(
            [Level(line.price, line.quantity) for line in changed_bids],
            [Level(line.price, line.quantity) for line in changed_asks],
            lines.checksum(),
        )
        assert mirror.bids == bids[:depth]
        assert mirror.asks == asks[:depth]


@given(books())
def test_book_unchanged_has_no_changes_at_any_depth(book):
    lines = BookLines(1, 8)
    lines.replace(*book, 0)
    assert not lines.replace(*book, 1)
    for depth in DEPTHS:
        assert lines.changes(depth) == ([], [])


def test_book_levels_that_fall_out_of_the_depth_are_not_deleted():
    lines = BookLines(1, 8)
    bids = levels((str(100 - i), "1") for i in range(10))
    lines.replace(bids, (), 0)
    lines.replace(levels([("101", "1")]) + bids, (), 1)
    changed, _ = lines.changes(10)
    assert [(line.price_text, line.quantity_text) for line in changed] == [("101.0", "1.00000000")]


def test_book_level_that_comes_back_into_the_depth_is_sent_again():
    lines = BookLines(1, 8)
    bids = levels((str(100 - i), "1") for i in range(11))
    lines.replace(bids, (), 0)
    lines.replace(bids[1:], (), 1)
    changed, _ = lines.changes(10)
    texts = [(line.price_text, line.quantity_text) for line in changed]
    assert texts == [("100.0", "0.00000000"), ("90.0", "1.00000000")]

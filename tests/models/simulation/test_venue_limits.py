"""Rate counters (§4), fees by tier (§11), ledger and balances."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

import pytest

from models.simulation.engine.orders import AmendRequest, EditRequest, Moment, OrderKind
from models.simulation.errors import VenueError
from models.simulation.gateway.rates import Counter, VerificationTier
from models.simulation.ledger.fees import figures, rates
from models.simulation.venue import Venue
from tests.models.simulation.venue_builders import (
    BTC,
    ETH,
    INSTRUMENTS,
    SELL,
    WALL,
    a_step,
    a_venue,
    an_account,
    an_instrument,
    an_order,
    fills,
    moment,
    term,
)


def test_worked_example_of_the_documentation_charges_eight():
    venue = a_venue(an_account(tier=VerificationTier.INTERMEDIATE))
    placed = venue.add_order("alpha", an_order(price="900"), moment(1, 0))
    assert venue.rate_count("alpha", BTC, WALL) == 1
    # Decay outruns the small counter, so each charge is read just before and after it.
    charged = Decimal(1)
    before = venue.rate_count("alpha", BTC, WALL + timedelta(seconds=7))
    change = AmendRequest(txid=placed.txid, limit_price=term("901"))
    venue.amend("alpha", change, moment(1, 7))
    charged += venue.rate_count("alpha", BTC, WALL + timedelta(seconds=7)) - before
    before = venue.rate_count("alpha", BTC, WALL + timedelta(seconds=43))
    venue.cancel("alpha", moment(1, 43), txid=placed.txid)
    charged += venue.rate_count("alpha", BTC, WALL + timedelta(seconds=43)) - before
    assert charged == 8


@pytest.mark.parametrize(
    ("age", "amend", "edit", "cancel"),
    [
        (1, 4, 7, 8),
        (5, 3, 6, 6),
        (10, 2, 5, 5),
        (15, 1, 3, 4),
        (45, 1, 2, 2),
        (90, 1, 1, 1),
        (300, 1, 1, 0),
    ],
)
def test_costs_follow_the_age_of_the_order(age, amend, edit, cancel):
    calls = {
        amend: lambda v, t: v.amend(
            "alpha", AmendRequest(txid=t, volume=Decimal("0.5")), moment(1, age)
        ),
        edit: lambda v, t: v.edit("alpha", EditRequest(t, BTC, volume=Decimal(2)), moment(1, age)),
        cancel: lambda v, t: v.cancel("alpha", moment(1, age), txid=t),
    }
    now = WALL + timedelta(seconds=age)
    for cost, call in calls.items():
        venue = a_venue()
        placed = venue.add_order("alpha", an_order(price="900"), moment())
        before = venue.rate_count("alpha", BTC, now)
        call(venue, placed.txid)
        assert venue.rate_count("alpha", BTC, now) - before == cost


def test_engine_counter_is_per_account_and_pair_and_refuses_beyond_the_threshold():
    venue = a_venue(
        an_account(tier=VerificationTier.STARTER), an_account("beta", tier=VerificationTier.STARTER)
    )
    for _ in range(6):
        placed = venue.add_order("alpha", an_order(volume="0.01", price="900"), moment())
        venue.cancel("alpha", moment(), txid=placed.txid)
    for _ in range(6):
        venue.add_order("alpha", an_order(volume="0.01", price="900"), moment())
    assert venue.rate_count("alpha", BTC, WALL) == 60
    assert venue.rate_maximum("alpha") == 60
    with pytest.raises(VenueError, match="EOrder:Rate limit exceeded"):
        venue.add_order("alpha", an_order(volume="0.01", price="900"), moment())
    venue.add_order("beta", an_order(volume="0.01", price="900"), moment())
    assert venue.rate_count("alpha", ETH, WALL) == 0
    venue.add_order("alpha", an_order(volume="0.01", price="900"), moment(1, 10))


def test_batches_cost_half_and_batch_cancels_pass_the_threshold():
    venue = a_venue(an_account(tier=VerificationTier.STARTER))
    batch = venue.add_batch("alpha", BTC, [an_order(volume="0.01", price="900")] * 15, moment())
    assert venue.rate_count("alpha", BTC, WALL) == Decimal("7.5")
    venue.cancel_batch("alpha", moment(), references=[row.txid for row in batch.rows])
    assert venue.rate_count("alpha", BTC, WALL) == Decimal("127.5")


def test_call_counter_is_per_key_and_decays():
    venue = a_venue(an_account(tier=VerificationTier.STARTER))
    for _ in range(15):
        venue.charge_call("alpha", "key-1", 1, WALL)
    with pytest.raises(VenueError, match="EAPI:Rate limit exceeded"):
        venue.charge_call("alpha", "key-1", 1, WALL)
    venue.charge_call("alpha", "key-2", 1, WALL)
    venue.charge_call("alpha", "key-1", 1, WALL + timedelta(seconds=4))


def test_counter_goes_on_decaying_from_where_a_clock_steps_back_to():
    counter, earlier = Counter(), WALL - timedelta(seconds=60)
    counter.charge(Decimal(5), WALL, Decimal(1))
    assert counter.level(earlier, Decimal(1)) == 5
    assert counter.level(earlier + timedelta(seconds=2), Decimal(1)) == 3
    counter.charge(Decimal(1), earlier, Decimal(1))
    assert counter.level(earlier + timedelta(seconds=2), Decimal(1)) == 4


def test_fees_follow_the_tier_and_the_tier_follows_every_trade():
    venue = a_venue(an_account(usd="1000000", volume="2000"))
    first = venue.add_order("alpha", an_order(kind=OrderKind.MARKET, volume="1"), moment())
    (fill,) = fills(first.events)
    assert (fill.cost, fill.fee, fill.fee_asset) == (Decimal(1001), Decimal("8.00800"), "USD")
    second = venue.add_order("alpha", an_order(kind=OrderKind.MARKET, volume="1"), moment())
    assert fills(second.events)[0].fee == Decimal(1002) * Decimal("0.006")
    assert venue.volume_30d("alpha") == Decimal(4003)
    venue.advance(moment(31 * 86400))
    assert venue.volume_30d("alpha") == 2000
    taker, maker = venue.fees("alpha", BTC)
    assert (taker.fee, maker.fee, taker.next_fee) == (
        Decimal("0.80"),
        Decimal("0.40"),
        Decimal("0.60"),
    )


def test_schedule_has_its_ends_and_stable_pairs_their_own():
    bitcoin, tether = INSTRUMENTS[0], an_instrument("USDT", "USDTZUSD", "5", 5)
    day = date(2026, 7, 9)
    assert rates(bitcoin, Decimal(2500), day).taker == Decimal("0.006")
    top, _ = figures(bitcoin, Decimal(10) ** 9, day)
    assert (top.fee, top.next_fee, top.next_volume) == (Decimal("0.05"), None, None)
    assert rates(tether, Decimal(0), day).taker == Decimal("0.002")


@pytest.mark.parametrize(
    ("day", "maker", "taker"),
    [
        (date(2023, 12, 31), "0.0016", "0.0026"),
        (date(2024, 1, 1), "0.0025", "0.0040"),
        (date(2026, 7, 8), "0.0025", "0.0040"),
        (date(2026, 7, 9), "0.0040", "0.0080"),
    ],
)
def test_fees_are_those_of_the_markets_day(day, maker, taker):
    """kraken-protocol §11: what a recording of an earlier year pays is that year's schedule."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    venue = Venue(INSTRUMENTS, (an_account(),), 7, at)
    venue.apply_step(replace(a_step(1), at=at), WALL)
    taken, made = venue.fees("alpha", BTC)
    assert (taken.fee / 100, made.fee / 100) == (Decimal(taker), Decimal(maker))
    placed = venue.add_order("alpha", an_order(kind=OrderKind.MARKET), Moment(at, WALL))
    (fill,) = fills(placed.events)
    assert fill.fee == fill.cost * Decimal(taker)


def test_maker_pays_the_maker_rate_and_fee_in_base_is_taken_from_the_base():
    venue = a_venue()
    venue.add_order("alpha", an_order(price="1000", fee_in_base=True), moment())
    # What rests gets at most a quarter of what is printed.
    events = venue.apply_step(a_step(2, prints=[(SELL, "1000", "4")]), WALL)
    (fill,) = fills(events)
    assert (fill.fee, fill.fee_asset, fill.maker) == (Decimal("0.00400000"), "BTC", True)
    balances = venue.balances("alpha")
    assert balances["BTC"].total == Decimal("5.996")
    assert balances["USD"].total == Decimal(99000)


def test_ledger_books_base_and_quote_under_the_trade_id_without_the_fee_in_the_amount():
    venue = a_venue()
    venue.add_order("alpha", an_order(SELL, OrderKind.MARKET, volume="1"), moment())
    deposits, trade = venue.ledger("alpha")[:2], venue.ledger("alpha")[2:]
    assert {(e.kind, e.asset) for e in deposits} == {("deposit", "USD"), ("deposit", "BTC")}
    (execution,) = venue.executions("alpha")
    assert {e.refid for e in trade} == {execution.txid}
    assert execution.ledger_ids == tuple(e.txid for e in trade)
    assert [(e.asset, e.amount, e.fee) for e in trade] == [
        ("BTC", Decimal(-1), Decimal(0)),
        ("USD", Decimal(999), Decimal("7.99200")),
    ]
    assert trade[1].balance == Decimal("100991.00800")


def test_purchase_holds_quote_with_fee_and_sale_holds_base():
    venue = a_venue()
    venue.add_order("alpha", an_order(price="900", volume="2"), moment())
    venue.add_order("alpha", an_order(SELL, price="1100", volume="3"), moment())
    balances = venue.balances("alpha")
    assert balances["USD"].held == Decimal("1814.4")
    assert balances["BTC"].held == 3
    assert balances["USD"].available == Decimal("98185.6")
    figures_ = venue.trade_balance("alpha")
    assert figures_.equivalent == 105000
    assert figures_.unexecuted == 5100


def test_ids_have_the_exchange_shapes():
    venue = a_venue()
    placed = venue.add_order("alpha", an_order(kind=OrderKind.MARKET), moment())
    (execution,) = venue.executions("alpha")
    for txid, letter in (
        (placed.txid, "O"),
        (execution.txid, "T"),
        (venue.ledger("alpha")[0].txid, "L"),
    ):
        head, middle, tail = txid.split("-")
        assert txid[0] == letter
        assert (len(head), len(middle), len(tail)) == (6, 5, 6)
        assert txid.isascii()
        assert txid.upper() == txid


def test_hold_shrinks_to_what_the_rest_needs_after_a_better_fill():
    venue = a_venue()
    venue.add_order("alpha", an_order(price="1001.5", volume="2"), moment())
    assert venue.balances("alpha")["USD"].held == Decimal("1001.5") * Decimal("1.008")


@pytest.mark.parametrize("pieces", ["0.00050001", "0.00050006", "0.00052345"])
@pytest.mark.parametrize("price", ["1000", "1000.7", "1000.9"])
def test_rounding_of_many_small_fills_never_overdraws_an_account(pieces, price):
    quantity = Decimal(pieces)
    total = str(quantity * 30)
    probe = a_venue(an_account(usd="100"), an_account("beta"))
    probe.add_order("alpha", an_order(price=price, volume=total), moment())
    exact = str(probe.balances("alpha")["USD"].held)
    venue = a_venue(an_account(usd=exact), an_account("beta"))
    for n in range(30):
        venue.add_order("beta", an_order(SELL, price=price, volume=pieces), moment(1, n))
    bought = venue.add_order("alpha", an_order(price=price, volume=total), moment(1, 60))
    assert len(fills(bought.events, "alpha")) == 30
    assert 0 <= venue.balances("alpha")["USD"].total < Decimal("0.001")


@pytest.mark.parametrize("pieces", ["0.00050001", "0.00050007", "0.00052345"])
def test_rounding_of_fees_in_base_never_overdraws_an_account(pieces):
    quantity = Decimal(pieces)
    total = quantity * 30
    exact = (total * Decimal("1.008")).quantize(Decimal("1e-8"), rounding=ROUND_CEILING)
    venue = a_venue(an_account(btc=str(exact)), an_account("beta"))
    for n in range(30):
        venue.add_order("beta", an_order(price="1000.9", volume=pieces), moment(1, n))
    request = an_order(SELL, price="1000.9", volume=str(total), fee_in_base=True)
    sold = venue.add_order("alpha", request, moment(1, 60))
    assert len(fills(sold.events, "alpha")) == 30
    assert 0 <= venue.balances("alpha")["BTC"].total < Decimal("0.000001")

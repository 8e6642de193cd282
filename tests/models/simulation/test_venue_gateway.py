"""The gateway: every refusal in Kraken's words, ids, deadlines, modes, timers, batches, amends."""

from datetime import timedelta
from decimal import Decimal

import pytest

from models.simulation.engine.orders import (
    AmendRequest,
    CloseTerms,
    EditRequest,
    OrderKind,
    VenueOrderStatus,
)
from models.simulation.errors import VenueError
from models.simulation.events import ExecutionType
from models.simulation.gateway.rates import VerificationTier
from models.simulation.outcomes import Placement, VenueOptions
from models.trading.instruments import InstrumentStatus
from tests.models.simulation.venue_builders import (
    BTC,
    SELL,
    WALL,
    a_step,
    a_venue,
    an_account,
    an_order,
    fills,
    kinds,
    moment,
    term,
)

LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "900"}
UUID = "2c6be801-1f53-4f79-a0bb-4ea1c95dfae9"


def refusal(call, *arguments, **keywords):
    with pytest.raises(VenueError) as caught:
        call(*arguments, **keywords)
    return caught.value.text


def rest(venue, **changes):
    parameters = {k: v for k, v in (LIMIT | changes).items() if v is not None}
    return venue.add_order_rest("alpha", parameters, moment())


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"pair": "XYZUSD"}, "EQuery:Unknown asset pair"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"ordertype": "settle-position"}, "EGeneral:Invalid arguments:ordertype"),
        ({"volume": "-1"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "NaN"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "1e3"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.123456789"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": ""}, "EGeneral:Invalid arguments:volume"),
        ({"price": None}, "EGeneral:Invalid arguments:price"),
        ({"price": "abc"}, "EGeneral:Invalid arguments:price"),
        ({"price": "-2000"}, "EOrder:Invalid price"),
        ({"price": "900.05"}, "EOrder:Tick size check failed"),
        ({"price2": "900"}, "EGeneral:Invalid arguments:price2"),
        ({"leverage": "2"}, "EGeneral:Invalid arguments:leverage"),
        ({"reduce_only": "true"}, "EGeneral:Invalid arguments:reduce_only"),
        ({"oflags": "fcib,fciq"}, "EGeneral:Invalid arguments:oflags"),
        ({"oflags": "viqc"}, "EGeneral:Invalid arguments:oflags"),
        ({"timeinforce": "DAY"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"timeinforce": "GTD"}, "EGeneral:Invalid arguments:expiretm"),
        ({"timeinforce": "GTD", "expiretm": "+2"}, "EGeneral:Invalid arguments:expiretm"),
        ({"trigger": "index"}, "EGeneral:Invalid arguments:Index unavailable"),
        ({"trigger": "mid"}, "EGeneral:Invalid arguments:trigger"),
        ({"userref": "3000000000"}, "EGeneral:Invalid arguments:userref"),
        ({"userref": "1", "cl_ord_id": "a"}, "EGeneral:Invalid arguments:userref"),
        ({"cl_ord_id": "UPPER"}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"cl_ord_id": "x" * 19}, "EGeneral:Invalid arguments:cl_ord_id"),
        ({"validate": "True"}, "EGeneral:Invalid arguments:validate"),
        ({"displayvol": "0.1"}, "EGeneral:Invalid arguments:displayvol"),
        ({"deadline": "soon"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-09-01T12:02:00Z"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-09-01T12:00:00Z"}, "EService:Deadline elapsed"),
        ({"close[ordertype]": "iceberg"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"close[ordertype]": "stop-loss"}, "EGeneral:Invalid arguments:close[price]"),
        ({"volume": "0.00005"}, "EOrder:Order minimum not met"),
        ({"volume": "0.0001", "price": "100"}, "EOrder:Cost minimum not met"),
        ({"volume": "200"}, "EOrder:Insufficient funds"),
        ({"type": "sell", "volume": "5.1"}, "EOrder:Insufficient funds"),
        ({"stptype": "none"}, "EGeneral:Invalid arguments:stptype"),
    ],
)
def test_refusal_says_it_in_the_exchange_words_and_changes_nothing(changes, text):
    venue = a_venue()
    before = venue.balances("alpha")
    assert refusal(rest, venue, **changes) == text
    assert venue.all_orders("alpha") == []
    assert venue.balances("alpha") == before
    assert venue.rate_count("alpha", BTC, WALL) == (0 if "Unknown" in text else 1)


def test_every_spelling_of_a_pair_is_accepted():
    venue = a_venue()
    for spelling in ("XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD"):
        assert rest(venue, pair=spelling).order.symbol == BTC
    assert venue.directory.result_key("XBTUSD") == "XXBTZUSD"
    assert venue.directory.result_key("BTC/USD") == "BTC/USD"


def test_descriptions_are_the_exchange_sentences():
    venue = a_venue()
    stop = {"ordertype": "stop-loss-limit", "type": "sell", "price": "980", "price2": "970"}
    assert rest(venue).description == "buy 1.00000000 XBTUSD @ limit 900.0"
    expected = "sell 1.00000000 XBTUSD @ stop loss 980.0 -> limit 970.0"
    assert rest(venue, **stop).description == expected
    trailing = rest(venue, type="sell", ordertype="trailing-stop", price="+50%")
    assert trailing.description == "sell 1.00000000 XBTUSD @ trailing stop +50.0000%"
    market = rest(venue, ordertype="market", price=None)
    assert market.description == "buy 1.00000000 XBTUSD @ market"


def test_relative_prices_start_from_the_last_trade():
    venue = a_venue()
    assert rest(venue, price="-5%").order.limit_price == 950
    assert rest(venue, price="#10").order.limit_price == 990
    sell = {"type": "sell", "ordertype": "stop-loss-limit"}
    order = rest(venue, **sell, price="#2%", price2="-30").order
    assert (order.trigger_price, order.limit_price) == (Decimal(980), Decimal(970))


def test_client_id_is_unique_among_open_orders_only():
    venue = a_venue()
    first = rest(venue, cl_ord_id=UUID)
    text = "EGeneral:Invalid arguments:cl_ord_id not unique"
    assert refusal(rest, venue, cl_ord_id=UUID) == text
    venue.cancel("alpha", moment(1, 600), cl_ord_id=UUID)
    again = rest(venue, cl_ord_id=UUID)
    assert again.txid != first.txid
    other = venue.add_order("beta", an_order(price="900", cl_ord_id=UUID), moment())
    assert other.order.cl_ord_id == UUID


def test_client_id_is_refused_together_with_a_close():
    close = {"close[ordertype]": "stop-loss", "close[price]": "800"}
    text = refusal(rest, a_venue(), cl_ord_id=UUID, **close)
    assert text.startswith("EGeneral:Invalid arguments:cl_ord_id")


def test_validate_checks_everything_and_creates_nothing():
    venue = a_venue()
    state = venue.state()
    checked = rest(venue, validate="true", cl_ord_id=UUID)
    assert (checked.txid, checked.order, checked.events) == (None, None, ())
    assert checked.description == "buy 1.00000000 XBTUSD @ limit 900.0"
    assert refusal(rest, venue, validate="true", volume="500") == "EOrder:Insufficient funds"
    after = venue.state()
    for account in (state["accounts"]["alpha"], after["accounts"]["alpha"]):
        account.pop("engine_counters")
    assert after == state


def test_volume_in_quote_buys_what_the_amount_buys():
    venue = a_venue()
    placed = rest(venue, ordertype="market", price=None, oflags="viqc", volume="1502")
    assert placed.order.status is VenueOrderStatus.CLOSED
    assert Decimal("1501.99") < placed.order.cost <= Decimal(1502)
    text = refusal(rest, venue, ordertype="market", price=None, oflags="viqc", volume="0.1")
    assert text == "EOrder:Cost minimum not met"


def test_orders_limit_counts_open_orders_of_the_pair():
    venue = a_venue(an_account(tier=VerificationTier.STARTER))
    for n in range(60):
        request = an_order(volume="0.01", price="900")
        venue.add_order("alpha", request, moment(1, 10 * n))
    text = refusal(venue.add_order, "alpha", an_order(price="900"), moment(1, 700))
    assert text == "EOrder:Orders limit exceeded"


def test_scheduled_orders_start_in_market_time_and_are_limited():
    venue = a_venue(options=VenueOptions(scheduled_orders_maximum=1))
    placed = rest(venue, starttm="+60", ordertype="market", price=None)
    assert placed.order.status is VenueOrderStatus.PENDING
    assert refusal(rest, venue, starttm="+60") == "EOrder:Scheduled orders limit exceeded"
    events = venue.apply_step(a_step(2, seconds=62), WALL)
    assert kinds(events, placed.txid)[0] is ExecutionType.NEW
    assert venue.order("alpha", placed.txid).status is VenueOrderStatus.CLOSED


def test_good_till_date_expires_in_market_time():
    venue = a_venue()
    placed = rest(venue, timeinforce="gtd", expiretm="+60")
    venue.advance(moment(60))
    assert venue.order("alpha", placed.txid).status is VenueOrderStatus.OPEN
    assert kinds(venue.advance(moment(61))) == [ExecutionType.EXPIRED]
    assert venue.balances("alpha")["USD"].held == 0


def test_cancel_by_txid_client_id_and_userref():
    venue = a_venue()
    one = rest(venue)
    tagged = [rest(venue, userref="7") for _ in range(2)]
    done = venue.cancel("alpha", moment(1, 600), txid=one.txid)
    assert [o.reason for o in done.orders] == ["User requested"]
    assert refusal(venue.cancel, "alpha", moment(), txid=one.txid) == "EOrder:Unknown order"
    ghost = "OAAAAA-AAAAA-AAAAAA"
    assert refusal(venue.cancel, "alpha", moment(), txid=ghost) == "EOrder:Invalid order"
    assert refusal(venue.cancel, "beta", moment(), txid=one.txid) == "EOrder:Invalid order"
    assert len(venue.cancel("alpha", moment(1, 600), userref=7).orders) == len(tagged)
    assert refusal(venue.cancel, "alpha", moment(), userref=7) == "EOrder:Unknown order"
    assert refusal(venue.cancel, "alpha", moment(), cl_ord_id="a") == "EOrder:Unknown order"


def test_cancel_batch_skips_what_is_gone_and_cancel_all_takes_the_rest():
    venue = a_venue()
    orders = [rest(venue, userref=str(n)) for n in range(4)]
    references = [orders[0].txid, 1, "OAAAAA-AAAAA-AAAAAA"]
    done = venue.cancel_batch("alpha", moment(1, 600), references=references)
    assert [o.txid for o in done.orders] == [orders[0].txid, orders[1].txid]
    assert len(venue.cancel_all("alpha", moment()).orders) == 2
    assert venue.open_orders("alpha") == []


def test_dead_man_switch_cancels_everything_once_in_wall_time():
    venue = a_venue()
    rest(venue)
    stop = venue.add_order("alpha", an_order(SELL, OrderKind.STOP_LOSS, price="900"), moment())
    armed = venue.cancel_all_after("alpha", 60, moment())
    assert armed.triggers_at == WALL + timedelta(seconds=60)
    assert venue.expire_timers(WALL + timedelta(seconds=59)) == []
    events = venue.expire_timers(WALL + timedelta(seconds=60))
    assert kinds(events, stop.txid) == [ExecutionType.CANCELED]
    assert venue.open_orders("alpha") == []
    assert venue.expire_timers(WALL + timedelta(seconds=90)) == []
    venue.cancel_all_after("alpha", 60, moment())
    assert venue.cancel_all_after("alpha", 0, moment()).triggers_at is None
    too_long = refusal(venue.cancel_all_after, "alpha", 86401, moment())
    assert "Invalid timeout argument" in too_long


@pytest.mark.parametrize("scope", ["system", "pair"])
@pytest.mark.parametrize(
    ("mode", "allowed"),
    [
        ("maintenance", set()),
        ("cancel_only", {"cancel"}),
        ("post_only", {"post", "cancel"}),
        ("limit_only", {"post", "limit", "cancel"}),
    ],
)
def test_modes_let_in_only_what_they_allow(scope, mode, allowed):
    venue = a_venue()
    resting = rest(venue)
    if scope == "system":
        venue.set_system_status(mode)
    else:
        venue.set_pair_status(BTC, InstrumentStatus(mode))
    attempts = {
        "market": lambda: rest(venue, ordertype="market", price=None),
        "limit": lambda: rest(venue),
        "post": lambda: rest(venue, oflags="post"),
        "cancel": lambda: venue.cancel("alpha", moment(1, 600), txid=resting.txid),
    }
    passed, refused = set(), set()
    for name, attempt in attempts.items():
        try:
            attempt()
        except VenueError as caught:
            refused.add(caught.text)
        else:
            passed.add(name)
    words = f"EService:Market in {mode} mode"
    assert refused == {"EService:Unavailable" if mode == "maintenance" else words}
    assert passed - {"cancel"} == allowed - {"cancel"}
    if scope == "system":
        assert passed == allowed


def test_nothing_is_matched_while_the_market_is_halted():
    venue = a_venue()
    rest(venue, price="999")
    venue.add_order("alpha", an_order(SELL, OrderKind.STOP_LOSS, price="990"), moment())
    venue.set_system_status("cancel_only")
    events = venue.apply_step(a_step(2, prints=[(SELL, "980", "9")]), WALL)
    assert kinds(events) == []
    venue.set_system_status("online")
    events = venue.apply_step(a_step(3, prints=[(SELL, "980", "9")]), WALL)
    assert ExecutionType.FILLED in kinds(events)


def test_batch_is_refused_as_a_whole_for_arguments_and_per_row_for_funds():
    venue = a_venue()
    good, poor = an_order(price="900"), an_order(price="900", volume="111")
    bad = an_order(price="900.05")
    text = refusal(venue.add_batch, "alpha", BTC, [good, bad], moment())
    assert text == "EOrder:Tick size check failed"
    assert venue.all_orders("alpha") == []
    batch = venue.add_batch("alpha", BTC, [good, poor, good], moment())
    assert [isinstance(row, Placement) for row in batch.rows] == [True, False, True]
    assert batch.rows[1].text == "EOrder:Insufficient funds"
    assert refusal(venue.add_batch, "alpha", BTC, [good], moment()).endswith("orders")
    same = [an_order(price="900", cl_ord_id="a")] * 2
    assert "not unique" in refusal(venue.add_batch, "alpha", BTC, same, moment())


def test_amend_keeps_the_place_on_decrease_and_loses_it_otherwise():
    venue = a_venue()
    first = venue.add_order("alpha", an_order(price="1000", volume="2"), moment())
    second = venue.add_order("beta", an_order(price="1000"), moment())

    def next_in_line():
        events = venue.apply_step(a_step(2, prints=[(SELL, "1000", "0.001")]), WALL)
        return fills(events)[0].order_txid

    venue.amend("alpha", AmendRequest(txid=first.txid, volume=Decimal(1)), moment(1, 60))
    assert next_in_line() == first.txid
    venue.amend("alpha", AmendRequest(txid=first.txid, volume=Decimal(3)), moment(1, 90))
    assert next_in_line() == second.txid


def test_amend_that_reaches_the_book_takes_and_holds_follow():
    venue = a_venue()
    placed = rest(venue, price="900")
    held = venue.balances("alpha")["USD"].held
    assert held == Decimal("907.20000")
    change = AmendRequest(txid=placed.txid, limit_price=term("1001"))
    amended = venue.amend("alpha", change, moment(1, 60))
    assert amended.order.status is VenueOrderStatus.CLOSED
    assert venue.balances("alpha")["USD"].held == 0


def test_amend_below_what_is_filled_cancels_the_rest():
    venue = a_venue()
    placed = rest(venue, price="1001", volume="2")
    change = AmendRequest(txid=placed.txid, volume=Decimal("0.5"))
    assert venue.amend("alpha", change, moment()).order.status is VenueOrderStatus.CANCELED


def test_amend_refusals():
    venue = a_venue()
    placed = rest(venue)

    def amend(**changes):
        return refusal(venue.amend, "alpha", AmendRequest(**changes), moment(1, 60))

    assert amend(txid=placed.txid).endswith("No amendable parameters")
    assert amend(txid=placed.txid, volume=Decimal(1)).endswith("No amendable parameters")
    assert amend(volume=Decimal(1)).startswith("EGeneral:Invalid arguments")
    assert amend(txid=placed.txid, trigger_price=term("5")).endswith("trigger_price")
    assert amend(txid=placed.txid, volume=Decimal(900)) == "EOrder:Insufficient funds"
    assert amend(txid=placed.txid, limit_price=term("0.05")) == "EOrder:Tick size check failed"
    crossing = {"limit_price": term("1001"), "post_only": True}
    assert amend(txid=placed.txid, **crossing) == "EOrder:Post only order"
    assert amend(cl_ord_id="gone", volume=Decimal(1)) == "EOrder:Unknown order"


def test_edit_cancels_and_places_under_a_new_id():
    venue = a_venue()
    placed = rest(venue, volume="100")
    request = EditRequest(placed.txid, BTC, volume=Decimal(105), price=term("901"))
    edited = venue.edit("alpha", request, moment(1, 100))
    assert edited.original.status is VenueOrderStatus.CANCELED
    assert edited.placement.txid not in (None, placed.txid)
    assert edited.placement.order.limit_price == 901
    named = rest(venue, volume="0.1", cl_ord_id="a")
    text = refusal(venue.edit, "alpha", EditRequest(named.txid, BTC), moment(1, 200))
    assert text == "EOrder:Invalid order"
    too_much = EditRequest(edited.placement.txid, BTC, volume=Decimal(900))
    held = venue.balances("alpha")["USD"].held
    assert refusal(venue.edit, "alpha", too_much, moment(1, 300)) == "EOrder:Insufficient funds"
    assert venue.balances("alpha")["USD"].held == held


def test_an_account_that_does_not_exist_is_refused():
    assert (
        refusal(a_venue().add_order, "nobody", an_order(price="900"), moment())
        == "EAPI:Invalid key"
    )


def test_state_of_another_exchange_is_refused():
    state = a_venue().state()
    with pytest.raises(ValueError, match="seed"):
        a_venue(seed=8).restore(state)
    with pytest.raises(ValueError, match="accounts"):
        a_venue(an_account("gamma")).restore(state)
    with pytest.raises(ValueError, match="version"):
        a_venue().restore(state | {"version": 0})


def test_close_terms_are_checked_before_the_parent_is_accepted():
    close = CloseTerms(OrderKind.STOP_LOSS, term("950.05"))
    request = an_order(price="900", close=close)
    text = refusal(a_venue().add_order, "alpha", request, moment())
    assert text == "EOrder:Tick size check failed"

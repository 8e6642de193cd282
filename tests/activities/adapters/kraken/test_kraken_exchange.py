import asyncio
import base64
import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from activities.adapters.kraken.addresses import ExchangeAddresses
from activities.adapters.kraken.directory import KrakenDirectory
from activities.adapters.kraken.errors import ForbiddenAddressError
from activities.ports.exchange import Balance
from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeUnavailableError,
    KeyInUseError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from activities.ports.secrets import Credentials
from models.trading.orders import ConditionalClose, Leg, OrderStatus, OrderType
from models.trading.risk.limits import FeeRates, Mode
from tests.support.free_ports import free_block
from tests.support.kraken_rows import (
    ASSETS,
    CLIENT_ID,
    PAIRS,
    ROW,
    an_order,
)
from tests.support.scripted_exchange import ScriptedExchange, refusal, result

PORTS = free_block()

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Keys:
    """Hands out keys made for this run; records which modes were asked for."""

    def __init__(self) -> None:
        self.keys: dict[str, Credentials] = {}
        self.asked: list[Mode] = []

    def add(self, account: str) -> None:
        secret = base64.b64encode(secrets.token_bytes(64)).decode()
        self.keys[account] = Credentials(secrets.token_hex(8), secret)

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        self.asked.append(mode)
        return self.keys.get(account)


@pytest.fixture
async def server():
    server = ScriptedExchange(PORTS)
    server.standing["AssetPairs"] = result(PAIRS)
    server.standing["Assets"] = result(ASSETS)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def keys():
    keys = Keys()
    keys.add("company")
    return keys


@pytest.fixture
async def directory(server, keys, tmp_path):
    addresses = ExchangeAddresses(server.url, server.ws_url, server.ws_url)
    directory = KrakenDirectory(keys, addresses, tmp_path)
    yield directory
    await directory.close()


@pytest.fixture
async def exchange(directory):
    return await directory.exchange("company")


def a_row(**changes):
    descr = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "64000", "price2": "0"}
    row = {**ROW, "status": "open", "cl_ord_id": CLIENT_ID, "descr": descr, "vol": "0.01000000"}
    row = {**row, "vol_exec": "0", "opentm": 1717490000.25, "closetm": 1717490010.5, **changes}
    return {name: value for name, value in row.items() if value is not ...}


# --- directory ---------------------------------------------------------------------------------


async def test_same_account_gets_the_same_exchange(directory, exchange):
    assert await directory.exchange("company") is exchange


async def test_accounts_of_one_exchange_go_by_the_same_pairs(directory, exchange, keys, server):
    keys.add("director-1")
    other = await directory.exchange("director-1")
    await exchange.symbols()
    await other.unhurried().symbols()
    assert other.rules is exchange.rules is other.unhurried().rules
    assert len(server.asked("AssetPairs")) == 1


async def test_account_without_a_key_is_refused(directory):
    with pytest.raises(CredentialsError):
        await directory.exchange("director-1")


async def test_live_is_refused_and_no_live_key_is_ever_asked_for(server, keys, tmp_path):
    async def mode_of(_: str) -> Mode:
        return Mode.LIVE

    addresses = ExchangeAddresses(server.url, server.ws_url, server.ws_url)
    directory = KrakenDirectory(keys, addresses, tmp_path, mode_of)
    with pytest.raises(CredentialsError, match="live is refused"):
        await directory.exchange("company")
    assert keys.asked == []


async def test_one_key_cannot_serve_two_accounts_or_processes(directory, exchange, keys, tmp_path):
    keys.keys["director-1"] = keys.keys["company"]
    with pytest.raises(KeyInUseError):
        await directory.exchange("director-1")
    other = KrakenDirectory(keys, directory._simulator, tmp_path)
    with pytest.raises(KeyInUseError):
        await other.exchange("company")
    await directory.close()
    assert await other.exchange("company")
    await other.close()


async def test_simulator_address_off_loopback_is_refused_and_the_key_set_free(keys, tmp_path):
    away = ExchangeAddresses("https://api.kraken.com", "wss://ws.kraken.com/v2", "wss://x/v2")
    directory = KrakenDirectory(keys, away, tmp_path)
    for _ in range(2):
        with pytest.raises(ForbiddenAddressError):
            await directory.exchange("company")


# --- placing -----------------------------------------------------------------------------------


async def test_submit_returns_the_exchange_id_and_sends_once(server, exchange):
    server.script("AddOrder", result({"txid": ["O1"], "descr": {}}))
    assert await exchange.submit(an_order(), None) == "O1"
    assert len(server.asked("AddOrder")) == 1
    assert server.asked("AddOrder")[0]["cl_ord_id"] == CLIENT_ID


async def test_submit_refuses_a_pair_that_is_not_usd_spot_before_sending(server, exchange):
    for symbol in ("BTC/USDC", "AAPLx/USD", "BTC/EUR"):
        with pytest.raises(OrderRejectedError):
            await exchange.submit(an_order(symbol=symbol), None)
    assert server.asked("AddOrder") == []


async def test_answer_without_an_id_is_unknown(server, exchange):
    server.script("AddOrder", result({"descr": {}}))
    with pytest.raises(UnknownOutcomeError):
        await exchange.submit(an_order(), None)


async def test_order_that_cannot_make_its_deadline_is_not_sent(server, exchange):
    with pytest.raises(RateLimitedError):
        await exchange.submit(an_order(), datetime.now(UTC) + timedelta(seconds=1))
    assert server.asked("AddOrder") == []


async def test_sale_of_what_has_lost_its_stop_does_not_wait_behind_the_share_of_protection(
    server, exchange
):
    server.script("AddOrder", result({"txid": ["OEXIT"]}))
    exchange.budget._trading["BTC/USD"].charge(0.9 * exchange.budget.tier.trading_maximum)
    with pytest.raises(RateLimitedError):
        await exchange.room_for_exit("BTC/USD", ["OSTOP"])
    soon = datetime.now(UTC) + timedelta(seconds=2.5)
    assert await exchange.submit(an_order(leg=Leg.EXIT), soon) == "OEXIT"


async def test_order_waits_for_room_no_longer_than_it_could_be_sent(server, exchange):
    # Room comes in some five seconds, within patience, but long after the deadline.
    counter = exchange.budget._trading["BTC/USD"]
    counter.charge(0.65 * counter.maximum + 5 * exchange.budget.tier.trading_decay)
    async with asyncio.timeout(3):
        with pytest.raises(RateLimitedError) as refused:
            await exchange.submit(an_order(), datetime.now(UTC) + timedelta(seconds=2.5))
    assert refused.value.retry_after_seconds > 3
    assert server.asked("AddOrder") == []


async def test_exchanges_rate_refusal_is_a_counted_defect(server, exchange):
    server.script("AddOrder", refusal("EOrder:Rate limit exceeded"))
    with pytest.raises(RateLimitedError):
        await exchange.submit(an_order(), None)
    assert exchange.budget.headroom().refusals == 1
    assert exchange.budget.headroom().trading["BTC/USD"] < 0.05


# --- asking ------------------------------------------------------------------------------------


async def test_find_asks_open_orders_then_the_newest_closed(server, exchange):
    other = a_row(cl_ord_id="somebody-elses")
    server.script("OpenOrders", result({"open": {"O0": other}}))
    rows = {"O1": a_row(status="closed"), "O2": other}
    server.script("ClosedOrders", result({"closed": rows, "count": 2}))
    found = await exchange.find(an_order(), datetime.now(UTC))
    assert [report.order_id for report in found] == ["O1"]
    assert found[0].status is OrderStatus.CLOSED
    assert "start" not in server.asked("ClosedOrders")[0]


async def test_find_asks_by_id_for_what_is_not_among_the_newest(server, exchange):
    server.script("OpenOrders", result({"open": {}}))
    server.script("ClosedOrders", result({"closed": {"O2": a_row(cl_ord_id="x")}, "count": 60}))
    rows = {"O1": a_row(status="closed")}
    server.script("ClosedOrders", result({"closed": rows, "count": 1}))
    found = await exchange.find(an_order(), datetime.now(UTC))
    assert [report.order_id for report in found] == ["O1"]
    newest, by_id = server.asked("ClosedOrders")
    assert "cl_ord_id" not in newest
    assert by_id["cl_ord_id"] == CLIENT_ID


async def test_find_by_userref_needs_the_same_terms_and_leaves_children_out(server, exchange):
    close = ConditionalClose(OrderType.STOP_LOSS, Decimal(63000))
    order = an_order(close=close)
    own = {"userref": order.userref, "cl_ord_id": ...}
    sell = {"pair": "XBTUSD", "type": "sell", "ordertype": "limit", "price": "1", "price2": "0"}
    rows = {
        "O1": a_row(**own),
        "O2": a_row(**own, refid="O1"),
        "O3": a_row(**own, vol="0.02"),
        "O4": a_row(**own, descr=sell),
        "O5": a_row(userref=order.userref + 1, cl_ord_id=...),
    }
    server.script("OpenOrders", result({"open": rows}))
    assert [one.order_id for one in await exchange.find(order, LONG_AGO)] == ["O1"]
    assert server.asked("ClosedOrders") == []


async def test_absence_is_found_only_after_both_were_asked(server, exchange):
    server.script("OpenOrders", result({"open": {}}))
    server.script("ClosedOrders", result({"closed": {}, "count": 0}))
    assert await exchange.find(an_order(), LONG_AGO) == []
    assert len(server.asked("ClosedOrders")) == 1


async def test_lookups_that_wait_together_share_their_requests(server, exchange):
    await exchange.symbols()
    server.standing["OpenOrders"] = result({"open": {}})
    server.standing["ClosedOrders"] = result({"closed": {}, "count": 0})
    others = [an_order(client_order_id=f"another-{number}") for number in range(5)]
    found = await asyncio.gather(*(exchange.find(one, LONG_AGO) for one in others))
    assert found == [[]] * 5
    assert len(server.asked("OpenOrders")) == 1
    assert len(server.asked("ClosedOrders")) == 1


async def test_queries_that_wait_together_are_one_request(server, exchange):
    rows = {f"O{number}": a_row() for number in range(5)}
    server.standing["QueryOrders"] = result(rows)
    found = await asyncio.gather(*(exchange.query([name]) for name in rows))
    assert [list(one) for one in found] == [[name] for name in rows]
    assert len(server.asked("QueryOrders")) == 1


async def test_fills_asked_together_reach_back_as_far_as_the_earliest(server, exchange):
    trade = {"ordertxid": "O1", "pair": "XXBTZUSD", "type": "buy", "price": "64000", "maker": True}
    trade |= {"cost": "640", "fee": "5.12", "vol": "0.01"}
    trades = {"T2": {**trade, "time": 1717490002.5}, "T1": {**trade, "time": 1717490001.5}}
    server.standing["TradesHistory"] = result({"trades": trades, "count": 2})
    late, early = (datetime.fromtimestamp(at, UTC) for at in (1717490002, 1717490000))
    found = await asyncio.gather(exchange.fills(late), exchange.fills(early))
    assert [[fill.execution_id for fill in fills] for fills in found] == [["T2"], ["T1", "T2"]]
    assert [asked["start"] for asked in server.asked("TradesHistory")] == ["1717489999"]


async def test_outage_uses_up_no_room_of_the_read_budget(server, exchange):
    await exchange.symbols()
    await server.stop()
    for _ in range(40):
        with pytest.raises(ExchangeUnavailableError):
            await exchange.open_orders()
    assert exchange.budget.headroom().reads > 0.9


async def test_query_asks_for_fifty_at_a_time(server, exchange):
    server.standing["QueryOrders"] = result({"O1": a_row()})
    found = await exchange.query([f"O{number}" for number in range(60)])
    assert set(found) == {"O1"}
    assert [asked["txid"].count(",") + 1 for asked in server.asked("QueryOrders")] == [50, 10]
    assert {asked["consolidate_taker"] for asked in server.asked("QueryOrders")} == {"false"}


async def test_executions_by_id_are_asked_for_twenty_at_a_time(server, exchange):
    trade = {"ordertxid": "O1", "pair": "XXBTZUSD", "type": "buy", "price": "64000", "maker": True}
    trade |= {"cost": "640", "fee": "5.12", "vol": "0.01"}
    names = [f"T{number:02}" for number in range(25)]
    rows = {name: {**trade, "time": 1717490100 - number} for number, name in enumerate(names)}
    server.script("QueryTrades", result(dict(list(rows.items())[:20])))
    server.script("QueryTrades", result(dict(list(rows.items())[20:])))
    fills = await exchange.fills_by_id(names)
    assert [fill.execution_id for fill in fills] == names[::-1]
    assert [asked["txid"].count(",") + 1 for asked in server.asked("QueryTrades")] == [20, 5]


async def test_execution_that_is_unknown_is_typed(server, exchange):
    server.script("QueryTrades", refusal("EOrder:Invalid order"))
    with pytest.raises(OrderGoneError):
        await exchange.fills_by_id(["T1"])


async def test_closed_orders_and_fills_read_all_pages(server, exchange):
    first = {f"O{n}": a_row(status="closed", closetm=1717490100 - n) for n in range(50)}
    second = {f"O{n}": a_row(status="closed", closetm=1717490100 - n) for n in range(49, 60)}
    server.script("ClosedOrders", result({"closed": first, "count": 60}))
    server.script("ClosedOrders", result({"closed": second, "count": 60}))
    since = datetime.fromtimestamp(1717490050, UTC)
    closed = await exchange.closed_orders(since)
    assert [order.order_id for order in closed] == [f"O{n}" for n in range(51)]
    asked = server.asked("ClosedOrders")
    assert [one["ofs"] for one in asked] == ["0", "50"]
    assert asked[0]["start"] == "1717490049"
    assert asked[0]["closetime"] == "close"


async def test_fills_are_oldest_first_and_never_consolidated(server, exchange):
    trade = {"ordertxid": "O1", "pair": "XXBTZUSD", "type": "buy", "price": "64000", "maker": True}
    trade |= {"cost": "640", "fee": "5.12", "vol": "0.01"}
    trades = {"T2": {**trade, "time": 1717490002.5}, "T1": {**trade, "time": 1717490001.5}}
    server.script("TradesHistory", result({"trades": trades, "count": 2}))
    fills = await exchange.fills(None)
    assert [fill.execution_id for fill in fills] == ["T1", "T2"]
    assert fills[0].symbol == "BTC/USD"
    assert fills[0].maker
    assert server.asked("TradesHistory")[0]["consolidate_taker"] == "false"


async def test_ledger_keeps_the_exchanges_order_within_a_moment(server, exchange):
    row = {"refid": "T1", "time": 1717490001.5, "type": "trade", "asset": "ZUSD", "fee": "5"}
    rows = {
        "L2": {**row, "amount": "-640", "balance": "355"},
        "L1": {**row, "amount": "1000", "fee": "0", "balance": "1000"},
    }
    server.script("Ledgers", result({"ledger": rows, "count": 2}))
    entries = await exchange.ledger(None)
    assert [entry.ledger_id for entry in entries] == ["L1", "L2"]
    assert entries[1].asset == "USD"
    assert entries[0].balance + entries[1].amount - entries[1].fee == entries[1].balance


async def test_ledger_names_a_wallet_and_counts_it_as_balances_do(server, exchange):
    row = {"refid": "R1", "time": 1717490001, "type": "earn", "subtype": "autoallocation"}
    rows = {
        "L3": {**row, "asset": "XBT.M", "amount": "1", "fee": "0", "balance": "1"},
        "L2": {**row, "asset": "XBT.F", "amount": "0.05", "fee": "0", "balance": "0.05"},
        "L1": {**row, "asset": "XXBT", "amount": "-0.05", "fee": "0", "balance": "0"},
    }
    server.script("Ledgers", result({"ledger": rows, "count": 3}))
    entries = await exchange.ledger(None)
    assert [(e.asset, e.wallet, e.subtype) for e in entries] == [
        ("BTC", "BTC", "autoallocation"),
        ("BTC", "BTC.F", "autoallocation"),
        ("BTC.M", "BTC.M", "autoallocation"),
    ]


async def test_balances_and_fees_come_in_our_names(server, exchange):
    rows = {
        "ZUSD": {"balance": "100.5", "hold_trade": "20"},
        "XXBT": {"balance": "1.0", "hold_trade": "0.5"},
        "XBT.F": {"balance": "0.5"},
        "ETH.S": {"balance": "2"},
        "XTZ": {"balance": "0.0", "hold_trade": "0"},
    }
    server.script("BalanceEx", result(rows))
    assert await exchange.balances() == {
        "USD": Balance(Decimal("100.5"), Decimal(20), {"USD": Decimal("100.5")}),
        "BTC": Balance(
            Decimal("1.5"), Decimal("0.5"), {"BTC": Decimal("1.0"), "BTC.F": Decimal("0.5")}
        ),
        "ETH.S": Balance(Decimal(2), Decimal(0), {"ETH.S": Decimal(2)}),
    }
    fee = {"fee": "0.8000"}
    volume = {"fees": {"XXBTZUSD": fee}, "fees_maker": {"XXBTZUSD": {"fee": "0.4000"}}}
    server.script("TradeVolume", result({"currency": "ZUSD", "volume": "0", **volume}))
    rates = await exchange.fees(["BTC/USD"])
    assert rates == {"BTC/USD": FeeRates(maker=Decimal("0.004"), taker=Decimal("0.008"))}


# --- changing ----------------------------------------------------------------------------------


async def test_cancel_of_an_order_that_is_gone_is_typed(server, exchange):
    server.script("CancelOrder", refusal("EOrder:Unknown order"), result({"count": 1}))
    with pytest.raises(OrderGoneError):
        await exchange.cancel("O1")
    await exchange.cancel("O1")


async def test_cancel_many_is_one_request(server, exchange):
    server.script("CancelOrderBatch", result({"count": 2}))
    assert await exchange.cancel_many(["O1", "O2"]) == 2
    assert await exchange.cancel_many([]) == 0
    with pytest.raises(ValueError, match="at most 50"):
        await exchange.cancel_many(["O"] * 51)
    assert [asked["orders"] for asked in server.asked("CancelOrderBatch")] == [["O1", "O2"]]


async def test_amend_sends_what_changes_and_takes_no_change_for_done(server, exchange):
    server.script("AmendOrder", result({"amend_id": "A1"}))
    await exchange.amend("O1", Decimal("0.020"), Decimal("63500.0"))
    asked = server.asked("AmendOrder")[0]
    asked.pop("nonce")
    assert asked == {"txid": "O1", "order_qty": "0.020", "trigger_price": "63500.0"}
    await exchange.amend("O1", None, None)
    server.script("AmendOrder", refusal("EOrder:No amendable parameters"))
    await exchange.amend("O1", Decimal("0.020"), None)
    server.script("AmendOrder", refusal("EOrder:Unknown order"))
    with pytest.raises(OrderGoneError):
        await exchange.amend("O1", Decimal("0.030"), None)


async def test_reprice_moves_the_limit_and_says_whether_it_may_take(server, exchange):
    server.script("AmendOrder", result({"amend_id": "A1"}))
    await exchange.reprice("O1", Decimal("63500.0"), post_only=False)
    asked = server.asked("AmendOrder")[0]
    asked.pop("nonce")
    assert asked == {"txid": "O1", "limit_price": "63500.0", "post_only": "false"}
    server.script("AmendOrder", refusal("EOrder:No amendable parameters"))
    await exchange.reprice("O1", Decimal("63500.0"), post_only=False)
    server.script("AmendOrder", refusal("EOrder:Post only order"))
    with pytest.raises(OrderRejectedError):
        await exchange.reprice("O1", Decimal("63600.0"), post_only=True)

"""Builders shared by the tests of the exchange core."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from models.simulation.engine.orders import Moment, OrderKind, OrderRequest, PriceTerm
from models.simulation.events import ExecutionType, OrderChanged
from models.simulation.gateway.rates import VerificationTier
from models.simulation.outcomes import AccountSetup, VenueOptions
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.simulation.venue import Venue
from models.trading.instruments import Instrument
from models.trading.orders import Side

BTC = "BTC/USD"
ETH = "ETH/USD"
BUY, SELL = Side.BUY, Side.SELL
START = datetime(2026, 8, 1, tzinfo=UTC)
WALL = datetime(2026, 9, 1, 12, tzinfo=UTC)


def an_instrument(base="BTC", rest_id="XXBTZUSD", minimum="0.0001", precision=1):
    return Instrument(
        symbol=f"{base}/USD",
        base=base,
        quote="USD",
        rest_id=rest_id,
        price_precision=precision,
        price_increment=Decimal(1).scaleb(-precision),
        quantity_precision=8,
        quantity_minimum=Decimal(minimum),
        cost_precision=5,
        cost_minimum=Decimal("0.5"),
    )


INSTRUMENTS = (an_instrument(), an_instrument("ETH", "XETHZUSD", "0.001", 2))


def a_venue(*accounts, options=None, seed=7, tier=VerificationTier.PRO, market=True):
    setups = accounts or (
        AccountSetup("alpha", {"USD": Decimal(100000), "BTC": Decimal(5)}, tier),
        AccountSetup("beta", {"USD": Decimal(100000), "BTC": Decimal(5)}, tier),
    )
    venue = Venue(INSTRUMENTS, setups, seed, START, options or VenueOptions())
    if market:
        venue.apply_step(a_step(1, prints=[(BUY, "1000", "1")]), WALL)
    return venue


def an_account(name="alpha", usd="100000", btc="5", tier=VerificationTier.PRO, volume="0"):
    balances = {"USD": Decimal(usd), "BTC": Decimal(btc)}
    return AccountSetup(name, balances, tier, Decimal(volume))


def levels(*pairs: tuple[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in pairs)


def a_step(
    number,
    bids=(("999", "1"), ("998", "2")),
    asks=(("1001", "1"), ("1002", "2")),
    prints: Sequence[tuple[Side, str, str]] = (),
    symbol=BTC,
    seconds=None,
):
    tape = tuple(Print(side, Decimal(price), Decimal(qty)) for side, price, qty in prints)
    at = START + timedelta(seconds=number if seconds is None else seconds)
    one = SymbolStep(symbol, tape, levels(*bids), levels(*asks))
    return MarketStep(number, at, (one,))


def moment(market=1, wall=0.0) -> Moment:
    return Moment(START + timedelta(seconds=market), WALL + timedelta(seconds=wall))


def an_order(side=BUY, kind=OrderKind.LIMIT, volume="1", price=None, price2=None, **more):
    return OrderRequest(
        symbol=more.pop("symbol", BTC),
        side=side,
        kind=kind,
        volume=Decimal(volume),
        price=term(price),
        price2=term(price2),
        **more,
    )


def term(text):
    if text is None:
        return None
    sign = text[0] if text[0] in "+-#" else ""
    number = text[len(sign) :]
    return PriceTerm(Decimal(number.rstrip("%")), sign, number.endswith("%"))


def kinds(events, txid=None) -> list[ExecutionType]:
    return [
        event.execution_type
        for event in events
        if isinstance(event, OrderChanged) and txid in (None, event.order.txid)
    ]


def fills(events, account=None):
    return [
        event.execution
        for event in events
        if isinstance(event, OrderChanged)
        and event.execution is not None
        and account in (None, event.account)
    ]

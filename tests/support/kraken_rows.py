"""Kraken rows and orders that tests of the adapter share."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from activities.adapters.kraken.instruments import usd_spot_instruments
from activities.adapters.kraken.symbols import SymbolTable
from models.trading.identities import client_order_id, userref
from models.trading.orders import Leg, OrderSpec, OrderType, Side

PAIRS: dict[str, Any] = {
    "XXBTZUSD": {
        "altname": "XBTUSD",
        "wsname": "XBT/USD",
        "aclass_base": "currency",
        "base": "XXBT",
        "aclass_quote": "currency",
        "quote": "ZUSD",
        "cost_decimals": 5,
        "pair_decimals": 1,
        "lot_decimals": 8,
        "fees": [],
        "ordermin": "0.00005",
        "costmin": "0.5",
        "tick_size": "0.1",
        "status": "online",
    },
    "XBTUSDC": {
        "altname": "XBTUSDC",
        "wsname": "XBT/USDC",
        "aclass_base": "currency",
        "base": "XXBT",
        "quote": "USDC",
        "pair_decimals": 2,
        "lot_decimals": 8,
        "ordermin": "0.00005",
    },
    "AAPLxUSD": {
        "altname": "AAPLxUSD",
        "wsname": "AAPLx/USD",
        "aclass_base": "tokenized_asset",
        "base": "AAPLx",
        "quote": "ZUSD",
        "pair_decimals": 2,
        "lot_decimals": 8,
        "ordermin": "0.00005",
    },
    "NEWUSD": {
        "altname": "NEWUSD",
        "wsname": "NEW/USD",
        "base": "NEW",
        "quote": "ZUSD",
        "pair_decimals": 2,
        "lot_decimals": 8,
        "ordermin": "1",
        "status": "a_word_of_tomorrow",
    },
}
ASSETS = {"XXBT": {"altname": "XBT"}, "ZUSD": {"altname": "USD"}}
INSTRUMENTS = usd_spot_instruments(PAIRS)
SYMBOLS = SymbolTable(PAIRS, ASSETS)
CLIENT_ID = client_order_id("0" * 32, "company", 1, Leg.ENTRY, 1)


def an_order(**changes: Any) -> OrderSpec:
    order = OrderSpec(
        account="company",
        trade=1,
        leg=Leg.ENTRY,
        client_order_id=CLIENT_ID,
        userref=userref(CLIENT_ID),
        symbol="BTC/USD",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal("0.01"),
        limit_price=Decimal(64000),
    )
    return replace(order, **changes)


ROW: dict[str, Any] = {
    "refid": None,
    "userref": 0,
    "status": "canceled",
    "opentm": Decimal("1717490000.3304"),
    "closetm": Decimal("1717490010.5"),
    "starttm": 0,
    "expiretm": 0,
    "descr": {
        "pair": "XBTUSD",
        "type": "sell",
        "ordertype": "trailing-stop-limit",
        "price": "+5.0000%",
        "price2": "+0",
    },
    "vol": "0.5",
    "vol_exec": "0.1",
    "cost": "6400",
    "fee": "51.2",
    "price": "64000",
    "reason": "User requested",
    "trades": ["T1"],
    "a_field_of_tomorrow": {"deep": [1]},
}

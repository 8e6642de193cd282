"""The exchange's whole state as JSON-ready values and back, exactly."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from models.simulation.engine.orders import AmendRecord, Execution, LedgerEntry, Order
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.rates import Counter, VerificationTier
from models.simulation.ledger.accounts import AccountBook
from models.simulation.pair_changes import restore_pairs
from models.simulation.steps import Level
from models.trading.instruments import InstrumentStatus
from models.trading.orders import Side

VERSION = 1
_AS_IS = (str, int, bool, NoneType)
_FIELD_NAMES: dict[type, tuple[str, ...]] = {}
_READERS: dict[type, dict[str, Callable[[Any], Any]]] = {}
_Record = TypeVar("_Record")


def dump(exchange_state: ExchangeState) -> dict[str, Any]:
    """Return the state of everything that a later call may depend on."""
    return {
        "version": VERSION,
        "seed": exchange_state.seed,
        "market_time": exchange_state.market_time.isoformat(),
        "wall_time": exchange_state.wall_time.isoformat(),
        "system_status": exchange_state.system_status.value,
        "pair_status": {
            symbol: status.value for symbol, status in exchange_state.pair_status.items()
        },
        "pair_changes": {
            symbol: dict(change) for symbol, change in exchange_state.pair_changes.items()
        },
        "priority": exchange_state.priority,
        "counterparty": encode(exchange_state.counterparty),
        "timed": [[order.account, order.txid] for order in exchange_state.timed.values()],
        "books": {symbol: _dump_book(exchange_state, symbol) for symbol in exchange_state.books},
        "accounts": {name: _dump_account(book) for name, book in exchange_state.accounts.items()},
    }


def load(exchange_state: ExchangeState, state: Mapping[str, Any]) -> None:
    """Put a state into a core built with the same instruments, accounts and seed.

    Raises:
        ValueError: the state is of another version, seed, set of pairs or of accounts.
    """
    _check_fits(exchange_state, state)
    exchange_state.market_time = datetime.fromisoformat(state["market_time"])
    exchange_state.wall_time = datetime.fromisoformat(state["wall_time"])
    exchange_state.system_status = InstrumentStatus(state["system_status"])
    exchange_state.pair_status = {s: InstrumentStatus(v) for s, v in state["pair_status"].items()}
    restore_pairs(exchange_state, state.get("pair_changes", {}))
    exchange_state.priority = state["priority"]
    exchange_state.counterparty = _decimals(state["counterparty"])
    exchange_state.accounts = {
        n: _load_account(n, exchange_state, one) for n, one in state["accounts"].items()
    }
    for symbol, one in state["books"].items():
        _load_book(exchange_state, symbol, one)
    exchange_state.timed = {
        txid: exchange_state.accounts[name].orders[txid] for name, txid in state["timed"]
    }
    exchange_state.events.clear()
    exchange_state.incoming.clear()


def _check_fits(exchange_state: ExchangeState, state: Mapping[str, Any]) -> None:
    if state.get("version") != VERSION:
        raise ValueError(f"version of the exchange state was {state.get('version')!r}")
    if state["seed"] != exchange_state.seed:
        raise ValueError(f"seed of the exchange state was {state['seed']!r}")
    if set(state["books"]) != set(exchange_state.books):
        raise ValueError(f"pairs of the exchange state were {sorted(state['books'])}")
    if set(state["accounts"]) != set(exchange_state.accounts):
        raise ValueError(f"accounts of the exchange state were {sorted(state['accounts'])}")


def _dump_book(exchange_state: ExchangeState, symbol: str) -> dict[str, Any]:
    book = exchange_state.books[symbol]
    return {
        "others": {
            side.value: [[str(x.price), str(x.quantity)] for x in book.others[side]]
            for side in Side
        },
        "consumed": {side.value: encode(book.consumed[side]) for side in Side},
        "resting": {side.value: [[o.account, o.txid] for o in book.resting[side]] for side in Side},
        "stops": [[o.account, o.txid] for o in book.stops],
        "last": None if book.last is None else str(book.last),
        "last_trade_id": book.last_trade_id,
        "passed": None if book.passed is None else [str(price) for price in book.passed],
    }


def _load_book(exchange_state: ExchangeState, symbol: str, state: Mapping[str, Any]) -> None:
    book = exchange_state.books[symbol]
    for side in Side:
        levels = state["others"][side.value]
        book.others[side] = tuple(Level(Decimal(p), Decimal(q)) for p, q in levels)
        consumed = state["consumed"][side.value]
        book.consumed[side] = {Decimal(p): Decimal(q) for p, q in consumed.items()}
        resting = state["resting"][side.value]
        book.resting[side] = [exchange_state.accounts[n].orders[txid] for n, txid in resting]
    book.stops = [exchange_state.accounts[n].orders[txid] for n, txid in state["stops"]]
    book.last = None if state["last"] is None else Decimal(state["last"])
    book.last_trade_id = state["last_trade_id"]
    passed = state.get("passed")
    book.passed = None if passed is None else (Decimal(passed[0]), Decimal(passed[1]))


def _dump_account(book: AccountBook) -> dict[str, Any]:
    return {
        "tier": book.tier.value,
        "initial_volume": str(book.initial_volume),
        "balances": encode(book.balances),
        "holds": encode(book.holds),
        "orders": [encode(order) for order in book.orders.values()],
        "live": list(book.live),
        "executions": [encode(execution) for execution in book.executions.values()],
        "ledger": [encode(entry) for entry in book.ledger],
        "amends": encode(book.amends),
        "issued": dict(book.issued),
        "volume_days": encode(book.volume_days),
        "engine_counters": encode(book.engine_counters),
        "call_counters": encode(book.call_counters),
        "dead_man_at": encode(book.dead_man_at),
    }


def _load_account(
    name: str, exchange_state: ExchangeState, state: Mapping[str, Any]
) -> AccountBook:
    orders = [decode(Order, one) for one in state["orders"]]
    executions = [decode(Execution, one) for one in state["executions"]]
    dead_man = state["dead_man_at"]
    book = AccountBook(
        name, exchange_state.seed, VerificationTier(state["tier"]), Decimal(state["initial_volume"])
    )
    book.balances = _decimals(state["balances"])
    book.holds = _decimals(state["holds"])
    book.orders = {order.txid: order for order in orders}
    book.live = {txid: book.orders[txid] for txid in state["live"]}
    book.executions = {execution.txid: execution for execution in executions}
    book.ledger = [decode(LedgerEntry, one) for one in state["ledger"]]
    book.amends = {
        txid: [decode(AmendRecord, one) for one in versions]
        for txid, versions in state["amends"].items()
    }
    book.issued = dict(state["issued"])
    book.volume_days = {date.fromisoformat(d): Decimal(v) for d, v in state["volume_days"].items()}
    book.engine_counters = {s: decode(Counter, c) for s, c in state["engine_counters"].items()}
    book.call_counters = {k: decode(Counter, c) for k, c in state["call_counters"].items()}
    book.dead_man_at = None if dead_man is None else datetime.fromisoformat(dead_man)
    return book


def _decimals(values: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(value) for key, value in values.items()}


def encode(value: Any) -> Any:
    """Return a JSON-ready form: Decimals and dates as strings, records as maps."""
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is Decimal:
        return str(value)
    if kind in (datetime, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if kind is dict:
        return {str(encode(key)): encode(item) for key, item in value.items()}
    if kind in (list, tuple):
        return [encode(item) for item in value]
    if not is_dataclass(value):
        raise TypeError(f"value was {kind!r}")
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(one.name for one in fields(value))
    return {name: encode(getattr(value, name)) for name in _FIELD_NAMES[kind]}


def decode(kind: type[_Record], state: Mapping[str, Any]) -> _Record:
    """Return a record of a dataclass from its encoded form, by its field types."""
    if kind not in _READERS:
        _READERS[kind] = {name: _reader(hint) for name, hint in get_type_hints(kind).items()}
    readers = _READERS[kind]
    return kind(**{k: None if v is None else readers[k](v) for k, v in state.items()})


def _reader(hint: Any) -> Callable[[Any], Any]:
    """Return what turns the encoded form of one field back into its value."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _reader(next(one for one in get_args(hint) if one is not NoneType))
    if origin is tuple:
        inner = _reader(get_args(hint)[0])
        return lambda items: tuple(inner(item) for item in items)
    if hint is datetime:
        return datetime.fromisoformat
    if isinstance(hint, type):
        if is_dataclass(hint):
            return partial(decode, hint)
        if hint is Decimal or issubclass(hint, Enum):
            return hint
    return lambda value: value

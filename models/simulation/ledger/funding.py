"""What changes balances other than trading: deposits, withdrawals, moves between wallets."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.simulation.engine.orders import LedgerEntry
from models.simulation.errors import VenueError
from models.simulation.events import BalanceChanged
from models.simulation.exchange_state import ExchangeState
from models.simulation.ids import identifier
from models.simulation.ledger.accounts import AccountBook, earning

ZERO = Decimal(0)


def transfer(
    exchange_state: ExchangeState, account: str, reference: str, asset: str, amount: Decimal
) -> LedgerEntry:
    """Book capital that comes in (positive) or goes out (negative), once per reference.

    Raises:
        VenueError: unknown asset, no usable amount, more than is available, or a reference that
            was used with other figures.
    """
    book = exchange_state.account(account)
    name = exchange_state.directory.asset(asset).name
    refid = identifier("Q", exchange_state.seed, f"{account}/{reference}", 0)
    known = next((entry for entry in book.ledger if entry.refid == refid), None)
    if known is not None:
        if (known.asset, known.amount) != (name, amount):
            raise VenueError("EFunding:Reference used with another amount")
        return known
    if not amount.is_finite() or amount == ZERO:
        raise VenueError("EFunding:Invalid amount")
    if amount < ZERO and book.available(name) + amount < ZERO:
        raise VenueError("EFunding:Insufficient funds")
    kind = "deposit" if amount > ZERO else "withdrawal"
    entry = book.write(refid, exchange_state.market_time, kind, "", name, amount, ZERO)
    exchange_state.emit(BalanceChanged(account, entry))
    return entry


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a booking as Kraken's ledger words it; ``asset`` may name a wallet (``BTC.F``)."""

    kind: str
    subtype: str
    asset: str
    amount: Decimal


def book_rows(
    exchange_state: ExchangeState, account: str, reference: str, rows: Sequence[Row]
) -> tuple[LedgerEntry, ...]:
    """Book rows of any type together, once per reference: earnings, airdrops, staking, credits.

    Raises:
        VenueError: unknown asset, no usable amount, or more than a wallet has.
    """
    book = exchange_state.account(account)
    refid = identifier("Q", exchange_state.seed, f"{account}/{reference}", 0)
    if known := tuple(entry for entry in book.ledger if entry.refid == refid):
        return known
    for row in rows:
        name = exchange_state.directory.asset(row.asset).name
        if not row.amount.is_finite() or row.amount == ZERO:
            raise VenueError("EFunding:Invalid amount")
        if row.amount < ZERO and book.balances.get(name, ZERO) + row.amount < ZERO:
            raise VenueError("EFunding:Insufficient funds")
    return tuple(_write(exchange_state, book, refid, row) for row in rows)


def move_earning(
    exchange_state: ExchangeState,
    book: AccountBook,
    refid: str,
    asset: str,
    amount: Decimal,
    subtype: str,
) -> None:
    """Move an asset into the wallet in which it earns by itself, or (negative) back."""
    for name, change in ((asset, -amount), (earning(asset), amount)):
        _write(exchange_state, book, refid, Row("earn", subtype, name, change))


def earn(exchange_state: ExchangeState, account: str) -> None:
    """Move all that is held of every asset but USD to where it earns by itself, as Kraken does."""
    book = exchange_state.account(account)
    for asset, total in list(book.balances.items()):
        if asset != "USD" and "." not in asset and total > ZERO:
            move_earning(exchange_state, book, book.new_id("Q"), asset, total, "autoallocation")


def _write(exchange_state: ExchangeState, book: AccountBook, refid: str, row: Row) -> LedgerEntry:
    name = exchange_state.directory.asset(row.asset).name
    entry = book.write(
        refid, exchange_state.market_time, row.kind, row.subtype, name, row.amount, ZERO
    )
    exchange_state.emit(BalanceChanged(book.name, entry))
    return entry

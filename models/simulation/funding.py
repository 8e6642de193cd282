"""Capital that comes to the exchange or leaves it: deposits and withdrawals, booked at once."""

from decimal import Decimal

from models.simulation.core import Core
from models.simulation.errors import VenueError
from models.simulation.events import BalanceChanged
from models.simulation.ids import identifier
from models.simulation.orders import LedgerEntry

ZERO = Decimal(0)


def transfer(core: Core, account: str, reference: str, asset: str, amount: Decimal) -> LedgerEntry:
    """Book capital that comes in (positive) or goes out (negative), once per reference.

    Raises:
        VenueError: unknown asset, no usable amount, more than is available, or a reference that
            was used with other figures.
    """
    book = core.account(account)
    name = core.directory.asset(asset).name
    refid = identifier("Q", core.seed, f"{account}/{reference}", 0)
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
    entry = book.write(refid, core.market_time, kind, "", name, amount, ZERO)
    core.emit(BalanceChanged(account, entry))
    return entry

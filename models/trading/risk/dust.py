"""Dust: what settled trades left because it could not be sold, and the trade that sells it.

The next trade of the pair takes the dust along and sells it with its own exit. Taken is less than
the pair's least quantity at once, never more than the account holds outside its trades, and nothing
where the stops are attached to the entry: those cover what the entry buys and no more.
"""

from dataclasses import replace
from decimal import Decimal

from models.trading.account.state import ZERO, AccountState
from models.trading.instruments import Instrument
from models.trading.risk.limits import ProtectionMode


def dust_to_carry(
    state: AccountState, instrument: Instrument, protection: ProtectionMode
) -> Decimal:
    """Return the base units of dust that a trade of a pair takes along."""
    if protection is ProtectionMode.ATTACHED:
        return ZERO
    held = max(ZERO, state.balances.get(instrument.base, ZERO))
    step = Decimal(1).scaleb(-instrument.quantity_precision)
    most = max(ZERO, instrument.quantity_minimum - step)
    return instrument.floor_quantity(min(state.dust.get(instrument.base, ZERO), held, most))


def with_dust_moved(state: AccountState, asset: str, change: Decimal) -> AccountState:
    """Note dust that a trade left (positive) or takes along (negative)."""
    if change == ZERO:
        return state
    dust = {**state.dust, asset: max(ZERO, state.dust.get(asset, ZERO) + change)}
    return replace(state, dust={name: left for name, left in dust.items() if left > ZERO})

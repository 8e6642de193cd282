"""Cost basis by lot, first in first out, and what was realised of each lot.

Every acquisition is a lot with its cost in USD, fees inside; a disposal takes from the oldest lots
first. The basis of what came in without a known value is unknown, and so is every gain made of it:
neither is zero. USD itself has no lots. Lots are made anew from all movements in the order of
market time, so that an execution that becomes known late falls where it belongs.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)
CENTS = Decimal("1e-8")
"""To what a part of a lot's cost is rounded; the last part takes the rest, so sums are exact."""
UNTRACKED = Decimal("1e-8")
"""Base units below which a difference between balances and lots is the exchange's rounding."""


class MovementKind(StrEnum):
    """How an asset came in or went out."""

    BOUGHT = "bought"
    SOLD = "sold"
    BROUGHT_IN = "brought_in"
    TAKEN_OUT = "taken_out"


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of what is held of an asset.

    Attributes:
        movement_id: the execution's id, or the flow's.
        at: market time.
        asset: what moved; never USD.
        quantity: base units, positive.
        usd: cost with fees of what came in, proceeds less fees of what was sold; None: not known.
        kind: how it came in or went out.
    """

    movement_id: str
    at: datetime
    asset: str
    quantity: Decimal
    usd: Decimal | None
    kind: MovementKind

    @property
    def comes_in(self) -> bool:
        """Tell whether more is held after it."""
        return self.kind in (MovementKind.BOUGHT, MovementKind.BROUGHT_IN)


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one acquisition; ``cost`` in USD of what is left, None: not known.

    ``acquired_at`` and ``movement_id`` are None for what is held and came in by no known movement.
    """

    asset: str
    quantity: Decimal
    cost: Decimal | None
    acquired_at: datetime | None
    movement_id: str | None
    kind: MovementKind | None


@dataclass(frozen=True, slots=True)
class Gain:
    """What one disposal realised of one lot, in USD; None where the basis is not known.

    ``acquired_at`` and ``acquired_by`` are None for what was sold and came in by no known movement.
    """

    asset: str
    quantity: Decimal
    acquired_at: datetime | None
    acquired_by: str | None
    disposed_at: datetime
    disposed_by: str
    proceeds: Decimal | None
    basis: Decimal | None

    @property
    def gain(self) -> Decimal | None:
        """Return proceeds less basis, None where either is not known."""
        if self.proceeds is None or self.basis is None:
            return None
        return self.proceeds - self.basis


@dataclass(frozen=True, slots=True)
class LotBook:
    """The lots that are left, oldest first by asset, and every gain in order of time."""

    lots: tuple[Lot, ...]
    gains: tuple[Gain, ...]


def keep_lots(movements: Iterable[Movement]) -> LotBook:
    """Match disposals to acquisitions, first in first out, by asset.

    At the same moment acquisitions come first. What leaves for another place takes its lots along
    and realises nothing. A movement that comes twice counts once.
    """
    queues: dict[str, deque[Lot]] = {}
    gains: list[Gain] = []
    known = {movement.movement_id: movement for movement in movements}
    ordered = sorted(known.values(), key=lambda m: (m.at, not m.comes_in, m.movement_id))
    for movement in ordered:
        queue = queues.setdefault(movement.asset, deque())
        if movement.quantity <= ZERO:
            continue
        if movement.comes_in:
            queue.append(_lot_of(movement))
        else:
            taken = _take(queue, movement)
            gains += taken if movement.kind is MovementKind.SOLD else []
    lots = tuple(lot for asset in sorted(queues) for lot in queues[asset])
    return LotBook(lots, tuple(gains))


def with_untracked(lots: Iterable[Lot], held: Mapping[str, Decimal]) -> tuple[Lot, ...]:
    """Add what is held beyond the lots, as lots of unknown origin and unknown basis.

    Args:
        lots: the lots that are left.
        held: base units by asset as the account counts them; USD is left out.
    """
    tracked: dict[str, Decimal] = {}
    kept = tuple(lots)
    for lot in kept:
        tracked[lot.asset] = tracked.get(lot.asset, ZERO) + lot.quantity
    more = [
        Lot(asset, total - tracked.get(asset, ZERO), None, None, None, None)
        for asset, total in sorted(held.items())
        if asset != "USD" and total - tracked.get(asset, ZERO) > UNTRACKED
    ]
    return (*kept, *more)


def _lot_of(movement: Movement) -> Lot:
    return Lot(
        asset=movement.asset,
        quantity=movement.quantity,
        cost=movement.usd,
        acquired_at=movement.at,
        movement_id=movement.movement_id,
        kind=movement.kind,
    )


def _take(queue: deque[Lot], movement: Movement) -> list[Gain]:
    """Take a disposal from the oldest lots; what no lot covers has no basis."""
    gains, left, proceeds = [], movement.quantity, movement.usd
    while left > ZERO:
        lot = queue[0] if queue else None
        part = left if lot is None else min(left, lot.quantity)
        received = None if proceeds is None else _share(proceeds, part, left)
        basis = None if lot is None or lot.cost is None else _share(lot.cost, part, lot.quantity)
        gains.append(
            Gain(
                asset=movement.asset,
                quantity=part,
                acquired_at=None if lot is None else lot.acquired_at,
                acquired_by=None if lot is None else lot.movement_id,
                disposed_at=movement.at,
                disposed_by=movement.movement_id,
                proceeds=received,
                basis=basis,
            )
        )
        if lot is not None:
            queue.popleft()
            if part < lot.quantity:
                queue.appendleft(_rest(lot, part, basis))
        proceeds = None if proceeds is None or received is None else proceeds - received
        left -= part
    return gains


def _rest(lot: Lot, part: Decimal, basis: Decimal | None) -> Lot:
    cost = None if lot.cost is None or basis is None else lot.cost - basis
    return Lot(lot.asset, lot.quantity - part, cost, lot.acquired_at, lot.movement_id, lot.kind)


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return amount if part == whole else (amount * part / whole).quantize(CENTS)

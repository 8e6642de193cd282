"""What an entry was decided by, as it is written down with its trade."""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.account.entries.basis import EntryBasis
from models.trading.account.entries.worth import EntryCosts
from models.trading.risk.sizing import SizingCap
from models.trading.strategies.evidence import Expectation
from models.trading.verdicts import Check, Verdict


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """The caps of the size and which one bound, the checks, the costs, and the settings.

    ``caps`` are in base units; none of them bound where the quantity was asked for or approved.
    ``basis`` is on what its worth rests, ``expectation`` what the evidence let one expect.
    ``settings_version`` and ``platform_version`` name the settings it was decided under.
    """

    trade: int
    quantity: Decimal
    settings_version: int
    platform_version: int
    verdict: Verdict
    caps: tuple[SizingCap, ...] = ()
    binding: str | None = None
    costs: EntryCosts | None = None
    approval: Check | None = None
    basis: EntryBasis = EntryBasis.UNSTATED
    expectation: Expectation | None = None

"""What happens to the universe once pairs have been judged: approved changes, and leaving."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from models.trading.governance.approval import check_other_person
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.universe.pairs import Standing, Universe, UniverseProposal
from models.trading.verdicts import Check, Verdict

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class UniverseChange:
    """A change that people want, for the audit; it may take up part of a proposal only.

    ``version`` is the one that it makes; symbols in ``joins`` are in the proposal.
    """

    version: int
    author: str
    approved_by: str
    reason: str
    at: datetime
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


def judge_universe_change(
    universe: Universe, proposal: UniverseProposal, change: UniverseChange
) -> Verdict:
    """Tell whether a change may be made: approved by another person, of this version, as proposed.

    Pairs may be taken out at any time; only what passed the rules may come in.
    """
    proposed = {pair.symbol for pair in proposal.join}
    unknown = sorted(set(change.joins) - proposed)
    absent = sorted(set(change.leaves) - universe.allowed)
    current = proposal.based_on == universe.version and change.version == universe.version + 1
    return Verdict(
        (
            check_other_person(change.author, change.approved_by),
            _check("invalid-change", bool(change.reason.strip()), "a change has a reason"),
            _check(
                "outdated-change",
                current,
                f"version {change.version} from a proposal of {proposal.based_on} "
                f"after version {universe.version}",
            ),
            _check("invalid-change", not unknown, f"not proposed: {', '.join(unknown) or 'none'}"),
            _check("invalid-change", not absent, f"not allowed now: {', '.join(absent) or 'none'}"),
        )
    )


def without_approval(verdict: Verdict) -> Verdict:
    """Return a verdict without what asks for another person: nobody has been asked yet."""
    return replace(
        verdict, checks=tuple(c for c in verdict.checks if c.code != "second-person-needed")
    )


def apply_change(
    universe: Universe,
    proposal: UniverseProposal,
    change: UniverseChange,
    held: Collection[str],
) -> Universe:
    """Return the universe after a change that was judged.

    ``held`` are the symbols of which any account holds something or has a trade open: they stay as
    leaving.
    """
    coming = {pair.symbol: pair for pair in proposal.join if pair.symbol in change.joins}
    pairs = {**universe.pairs, **coming}
    for symbol in change.leaves:
        pair = pairs.pop(symbol, None)
        if pair is not None and symbol in held:
            pairs[symbol] = replace(pair, standing=Standing.LEAVING)
    return Universe(change.version, dict(sorted(pairs.items())))


def finish_leaving(universe: Universe, held: Collection[str]) -> Universe:
    """Drop the pairs that are leaving and of which nothing is held or open any more."""
    kept = {
        symbol: pair
        for symbol, pair in universe.pairs.items()
        if pair.standing is Standing.ALLOWED or symbol in held
    }
    return replace(universe, pairs=kept)


def refresh(universe: Universe, instruments: Mapping[str, Instrument]) -> Universe:
    """Take in minimums and status of the day; a pair that is not listed is of unknown status."""
    pairs = {}
    for symbol, pair in universe.pairs.items():
        listed = instruments.get(symbol)
        pairs[symbol] = (
            replace(pair, status=InstrumentStatus.UNKNOWN)
            if listed is None
            else replace(
                pair,
                quantity_minimum=listed.quantity_minimum,
                cost_minimum=listed.cost_minimum,
                status=listed.status,
            )
        )
    return replace(universe, pairs=pairs)


def check_entry(universe: Universe, symbol: str) -> Check:
    """Tell whether entries may be made in a pair (T-2)."""
    pair = universe.pairs.get(symbol)
    if pair is None:
        return _check("not-in-universe", False, f"{symbol} is not in the universe")  # noqa: FBT003
    passed = pair.standing is Standing.ALLOWED
    return _check("not-in-universe", passed, f"{symbol} is {pair.standing.value}")


def keeps_protection(universe: Universe, symbol: str) -> bool:
    """Tell whether a pair is watched: allowed or leaving, what is held stays protected."""
    return symbol in universe.pairs


def _check(code: str, passed: bool, reason: str) -> Check:
    return Check("T-2", code, passed, reason)

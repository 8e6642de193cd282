"""The pairs that may be traded: proposed from the exchange's list, allowed by people (T-2).

A proposal is computed; only an approved change alters the universe, and each change is a new
version. A pair that has left takes no entries; as long as something of it is held it stays listed
as leaving, so that its protection goes on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.verdicts import Check, Verdict

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class UniverseRules:
    """What a pair must be to be proposed; safe defaults.

    Attributes:
        daily_volume_minimum: USD traded per day, a mean over recent days.
        history_days_minimum: days of stored candles.
        spread_maximum: quoted spread as a share of the price.
        excluded: assets never proposed (sanctions, stablecoins, other money).
        buckets: diversification bucket by asset, as people set it.
        bucket_volumes: bucket by daily volume in USD for the others, the largest volume first.
    """

    daily_volume_minimum: Decimal = Decimal(1_000_000)
    history_days_minimum: int = 90
    spread_maximum: Decimal = Decimal("0.005")
    excluded: frozenset[str] = frozenset()
    buckets: Mapping[str, str] = field(default_factory=dict)
    bucket_volumes: tuple[tuple[Decimal, str], ...] = (
        (Decimal(50_000_000), "large"),
        (Decimal(5_000_000), "middle"),
        (ZERO, "small"),
    )


@dataclass(frozen=True, slots=True)
class PairFacts:
    """A pair as the exchange lists it; None where a figure is not known."""

    instrument: Instrument
    daily_volume: Decimal | None
    history_days: int | None
    spread_share: Decimal | None


class Standing(StrEnum):
    """Whether a pair takes entries."""

    ALLOWED = "allowed"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class UniversePair:
    """One pair of the universe with its bucket, and minimums and status as the exchange has them.

    ``status`` is ``unknown`` once the exchange no longer lists the pair.
    """

    symbol: str
    bucket: str
    quantity_minimum: Decimal
    cost_minimum: Decimal
    status: InstrumentStatus
    standing: Standing = Standing.ALLOWED


@dataclass(frozen=True, slots=True)
class Universe:
    """The pairs by symbol, and the version of the last change."""

    version: int = 0
    pairs: Mapping[str, UniversePair] = field(default_factory=dict)

    @property
    def allowed(self) -> frozenset[str]:
        """Return the symbols that entries may be made in."""
        return frozenset(s for s, p in self.pairs.items() if p.standing is Standing.ALLOWED)

    @property
    def buckets(self) -> dict[str, str]:
        """Return the bucket of every symbol."""
        return {symbol: pair.bucket for symbol, pair in self.pairs.items()}


@dataclass(frozen=True, slots=True)
class UniverseProposal:
    """What the rules would change: pairs to come, symbols to go, and the verdict on each pair."""

    based_on: int
    join: tuple[UniversePair, ...]
    leave: tuple[str, ...]
    verdicts: Mapping[str, Verdict]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing would change."""
        return not self.join and not self.leave


def judge_pair(
    facts: PairFacts, rules: UniverseRules, listed: Mapping[str, str] | None = None
) -> Verdict:
    """Apply every rule to a pair; what is not known does not pass.

    ``listed`` has the entry of a published list of sanctions by asset; None: none was ever read.
    """
    sanctions = () if listed is None else (_check_list(facts.instrument.base, listed),)
    instrument = facts.instrument
    volume, days, spread = facts.daily_volume, facts.history_days, facts.spread_share
    least, most = rules.daily_volume_minimum, rules.spread_maximum
    return Verdict(
        (
            _check("not-usd-spot", instrument.is_spot_usd, "quoted in USD", instrument.quote),
            _check(
                "pair-not-trading",
                instrument.status is InstrumentStatus.ONLINE,
                "online",
                instrument.status.value,
            ),
            _check(
                "excluded-asset",
                instrument.base not in rules.excluded,
                "not excluded",
                instrument.base,
            ),
            Check(
                "T-2",
                "too-illiquid",
                volume is not None and volume >= least,
                f"daily volume {_shown(volume)} USD against {least} USD",
                volume,
                least,
            ),
            Check(
                "T-2",
                "too-illiquid",
                spread is not None and spread <= most,
                f"spread {_shown(spread)} of the price against {most}",
                spread,
                most,
            ),
            Check(
                "T-2",
                "history-too-short",
                days is not None and days >= rules.history_days_minimum,
                f"{_shown(days)} days of history against {rules.history_days_minimum}",
                Decimal(days) if days is not None else None,
                Decimal(rules.history_days_minimum),
            ),
            *sanctions,
        )
    )


def _check_list(asset: str, listed: Mapping[str, str]) -> Check:
    entry = listed.get(asset)
    reason = f"{asset} is named by no entry of the sanctions list"
    if entry is not None:
        reason = f"entry {entry} of the sanctions list is called like {asset}"
    return Check("compliance", "sanctioned-asset", entry is None, reason)


def propose(
    listed: Sequence[PairFacts],
    universe: Universe,
    rules: UniverseRules,
    sanctioned: Mapping[str, str] | None = None,
) -> UniverseProposal:
    """Compare the exchange's list with the universe; a pair that is no longer listed leaves.

    ``sanctioned`` has the entry of a published list by asset; None: none was ever read.
    """
    facts = {one.instrument.symbol: one for one in listed}
    verdicts = {symbol: judge_pair(one, rules, sanctioned) for symbol, one in sorted(facts.items())}
    fit = [symbol for symbol, verdict in verdicts.items() if verdict.allowed]
    join = tuple(_pair(facts[s], rules) for s in fit if s not in universe.allowed)
    leave = tuple(sorted(universe.allowed - set(fit)))
    return UniverseProposal(universe.version, join, leave, verdicts)


def first_universe(
    listed: Sequence[PairFacts],
    rules: UniverseRules,
    sanctioned: Mapping[str, str] | None = None,
) -> tuple[Universe, UniverseProposal]:
    """Return the universe that trading begins with, and the verdict on every pair listed.

    The same rules hold as for what joins later: a pair of which a figure is not known stays out.
    """
    found = propose(listed, Universe(), rules, sanctioned)
    first = Universe(1, {pair.symbol: pair for pair in found.join})
    return first, UniverseProposal(first.version, (), (), found.verdicts)


def rules_of_own_market(rules: UniverseRules) -> UniverseRules:
    """Return what is asked of the pairs of a generated or replayed market.

    No pair of it can be younger than the market, which is as old as the installation, and what is
    traded in it is made up, or played at another speed: the spread tells.
    """
    return replace(rules, history_days_minimum=0, daily_volume_minimum=ZERO)


def bucket_of(asset: str, daily_volume: Decimal, rules: UniverseRules) -> str:
    """Return the bucket that people set for an asset, else that of its volume."""
    named = rules.buckets.get(asset)
    if named is not None:
        return named
    rows = sorted(rules.bucket_volumes, reverse=True)
    return next((name for least, name in rows if daily_volume >= least), "small")


def _pair(facts: PairFacts, rules: UniverseRules) -> UniversePair:
    instrument = facts.instrument
    return UniversePair(
        instrument.symbol,
        bucket_of(instrument.base, facts.daily_volume or ZERO, rules),
        instrument.quantity_minimum,
        instrument.cost_minimum,
        instrument.status,
    )


def _check(code: str, passed: bool, wanted: str, found: str) -> Check:
    return Check("T-2", code, passed, f"{wanted}: {found}")


def _shown(figure: Decimal | int | None) -> str:
    return "unknown" if figure is None else str(figure)

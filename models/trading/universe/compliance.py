"""What may be traded at all: the filter every entry passes before anything is computed (T-1, T-2).

Every rule is applied, so that a refusal names all its reasons; each has its own code and is written
to the audit. Exits are never filtered: what is held must be sold and protected whatever the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from models.trading.verdicts import Check, Verdict

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class ComplianceRules:
    """What people decided; symbols and assets in WebSocket v2 names.

    Attributes:
        universe: symbols that entries are allowed in.
        sanctioned: assets that may not be bought, by name.
        stablecoins: assets that are meant to be worth one USD.
        peg_tolerance: share by which a stablecoin may be off before it is not bought.
        peg_return: share within which it counts as back; smaller, so that it does not flicker.
    """

    universe: frozenset[str]
    sanctioned: frozenset[str] = frozenset()
    stablecoins: frozenset[str] = frozenset({"USDT", "USDC", "DAI", "PYUSD", "USDG", "RLUSD"})
    peg_tolerance: Decimal = Decimal("0.01")
    peg_return: Decimal = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class ComplianceSubject:
    """An entry as far as the filter needs to know it.

    ``leverage`` is what was asked for: one or None is none. ``market`` is ``spot`` or what else was
    asked for, such as ``futures``.
    """

    symbol: str
    leverage: Decimal | None = None
    market: str = "spot"

    @property
    def base(self) -> str:
        """Return the asset that would be bought."""
        return self.symbol.partition("/")[0]

    @property
    def quote(self) -> str:
        """Return the asset that would be paid with."""
        return self.symbol.partition("/")[2]


@dataclass(frozen=True, slots=True)
class PegWatch:
    """Stablecoins seen in USD: the last prices, and which of them are off their peg."""

    prices: Mapping[str, Decimal] = field(default_factory=dict)
    off: frozenset[str] = frozenset()


def note_peg(watch: PegWatch, rules: ComplianceRules, asset: str, price: Decimal) -> PegWatch:
    """Take in the price of a stablecoin: off beyond the tolerance, back within the return band.

    What is no number is no price: nobody can say that the coin is on its peg.
    """
    if asset not in rules.stablecoins:
        return watch
    if not price.is_finite():
        known = {name: value for name, value in watch.prices.items() if name != asset}
        return PegWatch(known, watch.off | {asset})
    distance = abs(price - ONE)
    off = set(watch.off)
    if distance > rules.peg_tolerance:
        off.add(asset)
    elif distance <= min(rules.peg_return, rules.peg_tolerance):
        off.discard(asset)
    return PegWatch({**watch.prices, asset: price}, frozenset(off))


def judge_compliance(subject: ComplianceSubject, rules: ComplianceRules, pegs: PegWatch) -> Verdict:
    """Apply the whole filter to an entry."""
    return Verdict(
        (
            check_spot(subject),
            check_usd(subject),
            check_universe(subject, rules),
            check_sanctions(subject, rules),
            check_peg(subject, rules, pegs),
        )
    )


def check_spot(subject: ComplianceSubject) -> Check:
    """Refuse margin, leverage and derivatives (T-1)."""
    plain = subject.leverage is None or subject.leverage == ONE
    passed = plain and subject.market == "spot"
    wish = f"{subject.market}, leverage {subject.leverage or 'none'}"
    return Check("T-1", "not-spot", passed, f"spot only: {wish}", subject.leverage, ONE)


def check_usd(subject: ComplianceSubject) -> Check:
    """Refuse what is not paid in USD (T-2)."""
    passed = subject.quote == "USD" and subject.base not in ("", "USD")
    return Check("T-2", "not-usd-spot", passed, f"{subject.symbol} against pairs quoted in USD")


def check_universe(subject: ComplianceSubject, rules: ComplianceRules) -> Check:
    """Refuse what people have not allowed (T-2)."""
    passed = subject.symbol in rules.universe
    reason = f"{subject.symbol} is {'' if passed else 'not '}in the universe"
    return Check("T-2", "not-in-universe", passed, reason)


def check_sanctions(subject: ComplianceSubject, rules: ComplianceRules) -> Check:
    """Refuse assets on the sanctions list, however they are spelt."""
    named = {asset.upper() for asset in rules.sanctioned}
    passed = subject.base.upper() not in named
    reason = f"{subject.base} is {'not ' if passed else ''}on the sanctions list"
    return Check("compliance", "sanctioned-asset", passed, reason)


def check_peg(subject: ComplianceSubject, rules: ComplianceRules, pegs: PegWatch) -> Check:
    """Refuse stablecoins that are off their peg, or whose price is not known."""
    asset = subject.base
    if asset not in rules.stablecoins:
        reason = f"{asset} is no stablecoin: not applicable"
        return Check("compliance", "stablecoin-off-peg", passed=True, reason=reason)
    price = pegs.prices.get(asset)
    distance = abs(price - ONE) if price is not None else None
    passed = distance is not None and distance <= rules.peg_tolerance and asset not in pegs.off
    shown = f"{asset} at {price} USD" if price is not None else f"no price of {asset} is known"
    reason = f"{shown}, tolerance {rules.peg_tolerance:.2%}"
    limit = rules.peg_tolerance
    return Check("compliance", "stablecoin-off-peg", passed, reason, distance, limit)

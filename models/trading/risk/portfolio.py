"""What the limits of a portfolio still leave for one more entry (R-3).

Limits on value give a room in USD: per pair, per group of correlated pairs, per diversification
bucket, and gross. Limits on doing give a check: trades at once, orders in a window of time, and a
pause after losses in a row. All of them are applied; the smallest room binds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.verdicts import ZERO, Check, Headroom, Verdict

UNGROUPED = "ungrouped"
"""Group and bucket of what has none yet: together, for nothing says that they move apart."""


@dataclass(frozen=True, slots=True)
class PortfolioLimits:
    """Bounds with safe defaults; shares are of equity.

    Attributes:
        pair_share: largest value in one pair.
        group_share: largest value in one group of correlated pairs.
        bucket_share: largest value in one diversification bucket, unless ``bucket_shares`` says
            otherwise for it.
        gross_share: largest value in all pairs together.
        issuer_share: largest value in the stablecoins of one issuer.
        trades_maximum: trades open or entering at once.
        orders_maximum: entry orders within ``orders_window``. The default is three times what eight
            trades at once, each entered anew within the window, would take: enough for any strategy
            and person, and a loop that has run away is stopped within seconds.
        losses_maximum: losing trades of strategies in a row after which entries pause; zero: never.
        cool_down: how long they pause after the last of them.
    """

    pair_share: Decimal = Decimal("0.25")
    group_share: Decimal = Decimal("0.50")
    bucket_share: Decimal = Decimal("0.60")
    bucket_shares: Mapping[str, Decimal] = field(default_factory=dict)
    gross_share: Decimal = Decimal("0.80")
    trades_maximum: int = 8
    orders_maximum: int = 24
    orders_window: timedelta = timedelta(minutes=10)
    losses_maximum: int = 4
    cool_down: timedelta = timedelta(hours=4)
    issuer_share: Decimal = Decimal("0.25")


@dataclass(frozen=True, slots=True)
class LossStreak:
    """Losing trades in a row; ``last_at`` is the market time at which the last of them closed."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PortfolioView:
    """What the limits are applied to.

    ``exposures`` are USD held in a pair and promised to its unfilled entries, without what counts
    as cash; ``stablecoins`` the same of stablecoins, and ``issuers`` who owes each of them, by
    symbol. ``groups`` and ``buckets`` name those of each symbol; ``entry_orders`` are recent ones
    by market time.
    """

    equity: Decimal
    exposures: Mapping[str, Decimal]
    groups: Mapping[str, str]
    buckets: Mapping[str, str]
    open_trades: int = 0
    entry_orders: tuple[datetime, ...] = ()
    losses: LossStreak = LossStreak()
    stablecoins: Mapping[str, Decimal] = field(default_factory=dict)
    issuers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntryAllowance:
    """All limits applied to one pair: the rooms, the smallest first named, and the checks."""

    headrooms: tuple[Headroom, ...]
    checks: tuple[Check, ...]

    @property
    def binding(self) -> Headroom:
        """Return the room that leaves the least."""
        return min(self.headrooms, key=lambda headroom: headroom.left)

    @property
    def left(self) -> Decimal:
        """Return USD that every limit allows to add; zero when a check refused."""
        return self.binding.left if all(check.passed for check in self.checks) else ZERO

    def judge(self, added: Decimal) -> Verdict:
        """Return the outcome of every limit for an entry of this value in USD."""
        return Verdict((*(headroom.check(added) for headroom in self.headrooms), *self.checks))


def allow_entry(
    view: PortfolioView, limits: PortfolioLimits, symbol: str, now: datetime
) -> EntryAllowance:
    """Apply every limit to an entry into a pair. ``now`` is market time."""
    if symbol in view.issuers:
        return EntryAllowance(_stablecoin_rooms(view, limits, symbol), _checks(view, limits, now))
    group, bucket = _named(view.groups, symbol), _named(view.buckets, symbol)
    equity = max(ZERO, view.equity)
    bucket_share = limits.bucket_shares.get(bucket, limits.bucket_share)
    headrooms = (
        Headroom("pair exposure", view.exposures.get(symbol, ZERO), equity * limits.pair_share),
        Headroom(
            f"exposure of group {group}",
            _total(view.exposures, view.groups, group),
            equity * limits.group_share,
        ),
        Headroom(
            f"exposure of bucket {bucket}",
            _total(view.exposures, view.buckets, bucket),
            equity * bucket_share,
        ),
        Headroom("gross exposure", sum(view.exposures.values(), ZERO), equity * limits.gross_share),
    )
    return EntryAllowance(headrooms, _checks(view, limits, now))


def _checks(view: PortfolioView, limits: PortfolioLimits, now: datetime) -> tuple[Check, ...]:
    return (
        check_open_trades(view, limits),
        check_order_rate(view, limits, now),
        check_losses(view.losses, limits, now),
    )


def _stablecoin_rooms(
    view: PortfolioView, limits: PortfolioLimits, symbol: str
) -> tuple[Headroom, ...]:
    """Return the rooms of a stablecoin: of its pair, and of what its issuer owes altogether."""
    equity, issuer = max(ZERO, view.equity), view.issuers[symbol]
    owed = _total(view.stablecoins, view.issuers, issuer)
    held = view.stablecoins.get(symbol, ZERO)
    return (
        Headroom("pair exposure", held, equity * limits.pair_share),
        Headroom(f"stablecoins of {issuer}", owed, equity * limits.issuer_share),
    )


def check_open_trades(view: PortfolioView, limits: PortfolioLimits) -> Check:
    """Bound the number of trades at once."""
    figure, limit = Decimal(view.open_trades + 1), Decimal(limits.trades_maximum)
    reason = f"{figure} trades at once against {limit} allowed"
    return Check("R-3", "limit-exceeded", figure <= limit, reason, figure, limit)


def check_order_rate(view: PortfolioView, limits: PortfolioLimits, now: datetime) -> Check:
    """Bound the entry orders in the window that ends now."""
    recent = recent_orders(view.entry_orders, limits.orders_window, now)
    figure, limit = Decimal(len(recent) + 1), Decimal(limits.orders_maximum)
    minutes = limits.orders_window.total_seconds() / 60
    reason = f"{figure} entry orders within {minutes:g} minutes against {limit} allowed"
    return Check("R-3", "order-rate-exceeded", figure <= limit, reason, figure, limit)


def check_losses(losses: LossStreak, limits: PortfolioLimits, now: datetime) -> Check:
    """Pause entries after too many losses in a row, for a while after the last of them."""
    figure, limit = Decimal(losses.count), Decimal(limits.losses_maximum)
    reached = 0 < limits.losses_maximum <= losses.count
    until = losses.last_at + limits.cool_down if losses.last_at is not None else now
    passed = not reached or now >= until
    reason = f"{figure} losses in a row against {limit}"
    if reached:
        reason += f", paused until {until.isoformat(timespec='seconds')}"
    return Check("R-3", "cooling-down", passed, reason, figure, limit)


def note_result(losses: LossStreak, profit: Decimal, at: datetime) -> LossStreak:
    """Count a closed trade by its net profit in USD; a gain ends the streak, a zero does not."""
    if profit > ZERO:
        return LossStreak()
    return LossStreak(losses.count + 1, at) if profit < ZERO else losses


def recent_orders(
    orders: tuple[datetime, ...], window: timedelta, now: datetime
) -> tuple[datetime, ...]:
    """Return the orders that still count at this time."""
    return tuple(at for at in orders if at > now - window)


def _named(names: Mapping[str, str], symbol: str) -> str:
    return names.get(symbol, UNGROUPED)


def _total(exposures: Mapping[str, Decimal], names: Mapping[str, str], wanted: str) -> Decimal:
    """Return what counts towards a group; what is in no known group may be in any of them."""
    totals: dict[str, Decimal] = {}
    for symbol, value in exposures.items():
        name = _named(names, symbol)
        totals[name] = totals.get(name, ZERO) + value
    unknown = totals.pop(UNGROUPED, ZERO)
    if wanted == UNGROUPED:
        return unknown + max(totals.values(), default=ZERO)
    return unknown + totals.get(wanted, ZERO)

"""A portfolio put through a shock: what is left, and which limits it would be beyond.

The shock is taken as a gap: at once, with no trade in between. The loss is given twice: with
everything held through it, and with stops filled at their own price, which is the best they can do.
Reality lies between; the effect on the limits is that of the worse.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.portfolio import PortfolioLimits
from models.trading.risk.stress_scenarios import Shock

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class StressPosition:
    """One holding: base units, USD per unit. ``stop_price`` None: nothing rests for it.

    ``is_cash``: a stablecoin on its peg, which is no exposure.
    """

    symbol: str
    asset: str
    quantity: Decimal
    price: Decimal
    group: str
    bucket: str
    stop_price: Decimal | None = None
    is_stablecoin: bool = False
    is_cash: bool = False

    @property
    def value(self) -> Decimal:
        """Return what it is worth now, in USD."""
        return self.quantity * self.price


@dataclass(frozen=True, slots=True)
class StressPortfolio:
    """What is stressed; ``daily_share`` and ``total_share`` are what drawdown has cost already."""

    cash: Decimal
    positions: tuple[StressPosition, ...]
    daily_share: Decimal = ZERO
    total_share: Decimal = ZERO

    @property
    def equity(self) -> Decimal:
        """Return cash and holdings in USD."""
        return self.cash + sum((position.value for position in self.positions), ZERO)


@dataclass(frozen=True, slots=True)
class LimitEffect:
    """One limit before and after a shock, as shares; ``breached`` when it is beyond it after."""

    name: str
    before: Decimal
    after: Decimal
    limit: Decimal
    breached: bool


@dataclass(frozen=True, slots=True)
class StressResult:
    """What a shock does, in USD; ``loss_with_stops`` if each stop were filled at its price."""

    shock: str
    equity_before: Decimal
    equity_after: Decimal
    loss: Decimal
    loss_share: Decimal
    loss_with_stops: Decimal
    effects: tuple[LimitEffect, ...]

    @property
    def breaches(self) -> tuple[LimitEffect, ...]:
        """Return the limits that would be breached."""
        return tuple(effect for effect in self.effects if effect.breached)


def apply_shock(
    portfolio: StressPortfolio,
    shock: Shock,
    drawdown: DrawdownLimits,
    limits: PortfolioLimits,
) -> StressResult:
    """Put a portfolio through one shock."""
    before = portfolio.equity
    shocked = tuple(_moved(position, shock) for position in portfolio.positions)
    held = StressPortfolio(portfolio.cash, shocked)
    loss = before - held.equity
    share = loss / before if before > ZERO else ZERO
    return StressResult(
        shock=shock.name,
        equity_before=before,
        equity_after=held.equity,
        loss=loss,
        loss_share=share,
        loss_with_stops=sum((_loss_with_stop(p, shock) for p in portfolio.positions), ZERO),
        effects=(
            *_drawdown_effects(portfolio, share, drawdown),
            *_exposure_effects(portfolio, held, limits),
        ),
    )


def apply_shocks(
    portfolio: StressPortfolio,
    shocks: Sequence[Shock],
    drawdown: DrawdownLimits,
    limits: PortfolioLimits,
) -> tuple[StressResult, ...]:
    """Put a portfolio through each shock alone, the largest loss first."""
    results = [apply_shock(portfolio, shock, drawdown, limits) for shock in shocks]
    return tuple(sorted(results, key=lambda result: (-result.loss, result.shock)))


def _moved(position: StressPosition, shock: Shock) -> StressPosition:
    return replace(position, price=position.price * (ONE + _move(position, shock)))


def _move(position: StressPosition, shock: Shock) -> Decimal:
    return shock.move(position.asset, is_stablecoin=position.is_stablecoin)


def _loss_with_stop(position: StressPosition, shock: Shock) -> Decimal:
    price = position.price * (ONE + _move(position, shock))
    if position.stop_price is not None:
        price = max(price, min(position.stop_price, position.price))
    return position.quantity * (position.price - price)


def _drawdown_effects(
    portfolio: StressPortfolio, share: Decimal, limits: DrawdownLimits
) -> list[LimitEffect]:
    rows = (
        ("daily drawdown, soft level", portfolio.daily_share, limits.soft_share),
        ("daily drawdown, hard level", portfolio.daily_share, limits.hard_share),
        ("total drawdown", portfolio.total_share, limits.total_share),
    )
    effects = []
    for name, lost, limit in rows:
        # Losses chain: the shock takes its share of what the drawdown has left.
        after = max(ZERO, ONE - (ONE - lost) * (ONE - share))
        effects.append(LimitEffect(name, lost, after, limit, after >= limit))
    return effects


def _exposure_effects(
    before: StressPortfolio, after: StressPortfolio, limits: PortfolioLimits
) -> list[LimitEffect]:
    measures: list[tuple[str, Callable[[StressPosition], str], Callable[[str], Decimal]]] = [
        ("pair exposure", lambda p: p.symbol, lambda _: limits.pair_share),
        ("exposure of group", lambda p: p.group, lambda _: limits.group_share),
        (
            "exposure of bucket",
            lambda p: p.bucket,
            lambda name: limits.bucket_shares.get(name, limits.bucket_share),
        ),
        ("gross exposure", lambda _: "", lambda _: limits.gross_share),
    ]
    effects = []
    for title, key, limit_of in measures:
        for name in sorted(
            {key(position) for position in before.positions if not position.is_cash}
        ):
            limit = limit_of(name)
            share, shocked = _share(before, key, name), _share(after, key, name)
            label = f"{title} {name}".strip()
            effects.append(LimitEffect(label, share, shocked, limit, shocked > limit))
    return effects


def _share(portfolio: StressPortfolio, key: Callable[[StressPosition], str], name: str) -> Decimal:
    exposed = (p for p in portfolio.positions if not p.is_cash)
    value = sum((p.value for p in exposed if key(p) == name), ZERO)
    return value / portfolio.equity if portfolio.equity > ZERO else ZERO

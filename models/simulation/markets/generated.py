"""A seeded market that never ends: regimes, trends, jumps and correlated pairs, in any bar length.

Every step draws from a generator keyed by seed and step number, so that the whole state is the
price levels and regimes: no generator state has to be kept, and any step can be repeated.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random  # noqa: TID251 - seeded by an argument
from typing import Any, Final

from models.simulation.markets.instruments import Listing, Universe
from models.simulation.markets.liquidity import Ladder
from models.simulation.markets.replay import SourceStateError
from models.simulation.markets.scale import Scale
from models.simulation.steps import MarketStep, Print, SymbolStep
from models.trading.instruments import Instrument
from models.trading.orders import Side


@dataclass(frozen=True, slots=True)
class Regime:
    """A phase of the market, in figures per bar.

    ``drift`` and ``volatility`` are log returns per bar, ``bars`` the mean duration and ``jumps``
    the mean number of sudden moves per bar.
    """

    name: str
    drift: float
    volatility: float
    bars: float
    jumps: float


REGIMES: Final = (
    Regime("bullish", 0.0005, 0.0032, 50, 0.004),
    Regime("bearish", -0.0005, 0.0036, 45, 0.006),
    Regime("sideways", 0.0, 0.0022, 40, 0.001),
    Regime("turbulent", 0.0, 0.0080, 12, 0.030),
)
"""Trends are small beside the noise: a market that made every trend follower rich would teach
nothing, and would flatter whatever is tried on it."""

CORRELATION: Final = 0.6
JUMP_SIZE: Final = 0.018
STABLE_VOLATILITY: Final = 0.00012
STABLE_PULL: Final = 0.2
PRINTS_PER_STEP: Final = 4


class _Asset:
    """One pair's logarithmic distance from its reference price, and its present regime."""

    def __init__(self, listing: Listing, seed: int) -> None:
        self.symbol = listing.symbol
        self.stable = listing.stable
        self.scale = Scale(listing.instrument)
        self.ladder = Ladder(listing, self.scale, seed)
        self.reference = self.scale.ticks(listing.reference_price)
        # A typical print is small beside the book: a tenth of a typical order.
        self.print_lots = max(
            1, self.scale.lots(listing.typical_order / listing.reference_price / 10)
        )
        self.level = 0.0
        self.regime = 2
        self.last = self.reference

    def ticks(self) -> int:
        """Return the price in ticks."""
        return max(2, round(self.reference * math.exp(self.level)))


class GeneratedMarket:
    """Generate steps for ever; implements ``MarketSource``. Same arguments, same steps.

    Args:
        universe: the pairs to move.
        seed: seed of everything random.
        start: market time before the first step (timezone-aware).
        bar_minutes: bar length that the regimes' figures refer to.
        steps_per_bar: steps per bar.
    """

    def __init__(
        self,
        universe: Universe,
        *,
        seed: int,
        start: datetime,
        bar_minutes: int = 1,
        steps_per_bar: int = 10,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be timezone-aware")
        if bar_minutes < 1 or steps_per_bar < 1:
            raise ValueError("bar_minutes and steps_per_bar must be at least 1")
        self.instruments: dict[str, Instrument] = universe.instruments
        self.bar_minutes = bar_minutes
        self._seed = seed
        self._start = start.astimezone(UTC)
        self._steps_per_bar = steps_per_bar
        self._step_length = timedelta(minutes=bar_minutes) / steps_per_bar
        self._assets = [_Asset(listing, seed) for listing in universe]
        self._number = 0
        self._opening: datetime | None = None

    def open_at(self, opening: datetime) -> None:
        """Give books their best levels only, but for the last one before market time ``opening``.

        For history that nobody can trade in: prices and prints are the same as with whole books.
        """
        self._opening = opening.astimezone(UTC)

    def start_time(self) -> datetime:
        """Return the market time before the first step."""
        return self._start

    def next_step(self) -> MarketStep | None:
        """Return the next step; a generated market has no end."""
        self._number += 1
        random = Random((self._seed << 48) ^ self._number)  # noqa: S311 - a simulation, not a secret
        common = random.gauss(0.0, 1.0)
        shock = random.gauss(0.0, 1.0)
        at = self._start + self._step_length * self._number
        whole = self._opening is None or at + self._step_length > self._opening
        symbols = tuple(self._move(asset, random, common, shock, whole) for asset in self._assets)
        return MarketStep(self._number, at, symbols)

    def state(self) -> dict[str, Any]:
        """Return where every price is."""
        return {
            "kind": "generated",
            "of": self._fingerprint(),
            "start": self._start.isoformat(),
            "number": self._number,
            "assets": {a.symbol: [a.level, a.regime, a.last] for a in self._assets},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state, with its start time; SourceStateError when it is another market's."""
        if state.get("kind") != "generated" or state.get("of") != self._fingerprint():
            raise SourceStateError("the saved position belongs to another generated market")
        self._opening = None
        self._start = datetime.fromisoformat(state["start"])
        self._number = int(state["number"])
        for asset in self._assets:
            level, regime, last = state["assets"][asset.symbol]
            asset.level, asset.regime, asset.last = float(level), int(regime), int(last)

    def _fingerprint(self) -> str:
        names = ",".join(asset.symbol for asset in self._assets)
        return f"{names}/{self.bar_minutes}/{self._steps_per_bar}/{self._seed}"

    def _move(
        self, asset: _Asset, random: Random, common: float, shock: float, whole: bool
    ) -> SymbolStep:
        share = 1 / self._steps_per_bar
        own = random.gauss(0.0, 1.0)
        if asset.stable:
            pull = -STABLE_PULL * share * asset.level
            asset.level += pull + STABLE_VOLATILITY * math.sqrt(share) * own
        else:
            regime = self._regime(asset, random, share)
            noise = CORRELATION * common + math.sqrt(1 - CORRELATION**2) * own
            asset.level += regime.drift * share + regime.volatility * math.sqrt(share) * noise
            if random.random() < regime.jumps * share:
                asset.level += JUMP_SIZE * math.copysign(0.5 + random.random(), shock + own)
        return self._trade(asset, random, whole)

    def _regime(self, asset: _Asset, random: Random, share: float) -> Regime:
        regime = REGIMES[asset.regime]
        if random.random() < share / regime.bars:
            # Far from its reference a price turns more often: it roams, but never runs away.
            turn = 0.28 * math.tanh(2 * asset.level)
            weights = (0.32 - turn, 0.32 + turn, 0.24, 0.12)
            asset.regime = random.choices(range(len(REGIMES)), weights)[0]
        return REGIMES[asset.regime]

    def _trade(self, asset: _Asset, random: Random, whole: bool) -> SymbolStep:
        before, after = asset.last, asset.ticks()
        moved = after != before
        rising = after > before if moved else random.random() < 0.5
        count = random.randint(1, PRINTS_PER_STEP) if moved else random.randint(0, 1)
        side = Side.BUY if rising else Side.SELL
        prints = tuple(
            Print(
                side,
                asset.scale.price(before + (after - before) * part // count),
                asset.scale.quantity(max(1, int(asset.print_lots * random.expovariate(1.0)))),
            )
            for part in range(1, count + 1)
        )
        spread = asset.ladder.spread(after)
        bid, ask = (after - spread, after) if rising else (after, after + spread)
        asset.last = after
        around = asset.ladder.around if whole else asset.ladder.touch
        bids, asks = around(max(1, bid), ask, self._number)
        return SymbolStep(asset.symbol, prints, bids, asks)

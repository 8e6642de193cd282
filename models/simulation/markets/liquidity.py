"""The synthetic liquidity of others around a price: a ladder that is a pure function of its inputs.

Levels stand on a fixed grid of prices and keep their size until their turn comes to change, so that
a small move changes few levels, as in a real book.
"""

import math
from typing import Final

from models.simulation.markets.instruments import Listing
from models.simulation.markets.scale import Scale
from models.simulation.steps import Level

_ZONES: Final = (1, 2, 5, 10)
_LEVELS_PER_ZONE: Final = 5
_MEMORY: Final = 4096
_MASK: Final = (1 << 64) - 1
_NICE: Final = (1, 2, 5)
_REFRESH_TURNS: Final = 32
"""Each level's size changes once per this many steps."""

# Log-normal sizes (median 1, sigma 0.9) at 256 even quantiles: a level's size is one table look-up.
_SIZE_TABLE: Final = tuple(
    math.exp(0.9 * math.sqrt(2) * value)
    for value in (
        math.copysign(
            math.sqrt(
                math.sqrt(
                    (2 / (math.pi * 0.147) + math.log(1 - x * x) / 2) ** 2
                    - math.log(1 - x * x) / 0.147
                )
                - (2 / (math.pi * 0.147) + math.log(1 - x * x) / 2)
            ),
            x,
        )
        for x in ((2 * index + 1) / 256 - 1 for index in range(256))
    )
)
"""Inverse error function after Winitzki (2008), good to 0.2 %."""


def mix(value: int) -> int:
    """Return 64 well-mixed bits of an integer (finaliser of SplitMix64, Steele et al. 2014)."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


def nice_step(value: float) -> int:
    """Return the largest of 1, 2, 5, 10, 20, 50, … that is not above ``value``; at least 1."""
    if value < 1:
        return 1
    magnitude = 10 ** int(math.log10(value))
    factor = max(nice for nice in _NICE if nice * magnitude <= value)
    return int(factor * magnitude)


class Ladder:
    """Make both sides of one pair's book. Prices are in ticks, as ``Scale`` counts them."""

    def __init__(self, listing: Listing, scale: Scale, seed: int) -> None:
        self._scale = scale
        self._spread_share = float(listing.spread_basis_points) / 10_000
        self._typical_order = float(listing.typical_order)
        self._increment = float(listing.instrument.price_increment)
        self._key = mix(seed ^ mix(int.from_bytes(listing.symbol.encode(), "big") & _MASK))
        self._minimum = scale.lots(listing.instrument.quantity_minimum)
        self._levels: dict[int, tuple[int, Level]] = {}
        self._lots_per_unit = 10**listing.instrument.quantity_precision

    def spread(self, ticks: int) -> int:
        """Return the quoted spread at a price; at least one tick."""
        return max(1, round(ticks * self._spread_share))

    def around(self, bid: int, ask: int, turn: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return bids and asks, best first, with the best at ``bid`` and ``ask``.

        ``turn`` is the number of the step; as it grows, levels change their size in turn.
        """
        return self._side(bid, -1, turn), self._side(ask, 1, turn)

    def touch(self, bid: int, ask: int, turn: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the best level of each side, as ``around`` would."""
        return (self._level(bid, turn),), (self._level(ask, turn),)

    def _side(self, best: int, direction: int, turn: int) -> tuple[Level, ...]:
        levels = [self._level(best, turn)]
        step = nice_step(best * 0.0002)
        tick = best
        for zone in _ZONES:
            # Each zone keeps to its own coarser grid, so that a moving touch leaves it in place.
            spacing = step * zone
            beyond = tick // spacing + 1 if direction > 0 else -(-tick // spacing) - 1
            tick = beyond * spacing
            for _ in range(_LEVELS_PER_ZONE):
                if tick <= 0:
                    return tuple(levels)
                levels.append(self._level(tick, turn))
                tick += direction * spacing
            tick -= direction * spacing
        return tuple(levels)

    def _level(self, tick: int, turn: int) -> Level:
        phase = (turn + tick) // _REFRESH_TURNS
        known = self._levels.get(tick)
        if known is not None and known[0] == phase:
            return known[1]
        if len(self._levels) > _MEMORY:
            self._levels.clear()
        size = _SIZE_TABLE[mix(self._key + tick * 0x9E3779B9 + phase * 0x85EBCA6B) & 255]
        lots = int(self._typical_order * size / (tick * self._increment) * self._lots_per_unit)
        quantity = self._scale.quantity(max(self._minimum, lots))
        level = Level(self._scale.price(tick), quantity)
        self._levels[tick] = (phase, level)
        return level

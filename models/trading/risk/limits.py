"""The bounds an account trades within, with safe defaults."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Mode(StrEnum):
    """Where an account's orders go. Live is refused until its conditions can be checked."""

    SIMULATED = "simulated"
    LIVE = "live"


class ProtectionMode(StrEnum):
    """How a position gets its stop: with the entry (conditional close) or on the first fill."""

    ATTACHED = "attached"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fee rates as shares of cost (0.008 is 0.80 percent), from TradeVolume."""

    maker: Decimal
    taker: Decimal


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """Limits of one account. Shares are of equity unless said otherwise.

    Attributes:
        risk_share: equity put at risk between entry and stop of one trade (R-2).
        pair_exposure_share: largest value held in one pair (R-3).
        gross_exposure_share: largest value held in all pairs together (R-3).
        cash_reserve_share: cash never spent, so that fees and rounding cannot overdraw (R-5).
        open_trades_maximum: trades open or entering at once.
        open_trades_per_pair: trades open or entering at once in one pair.
        reward_to_cost_minimum: expected move over round-trip cost that an entry must reach (R-6).
        stop_distance_minimum: smallest distance of a stop from the price, as a share of the price.
        slippage_share: slippage assumed for a market order, as a share of the price.
        market_data_age_seconds: oldest market snapshot (market time) an idea may be judged on.
        depth_share: largest share of the visible depth that one entry may take.
        trade_minimum: USD that an entry must be worth at its stop. Kraken publishes a minimum cost
            of 0.5 USD, and has refused orders near 5 USD: what is bought must be sold again.
    """

    risk_share: Decimal = Decimal("0.005")
    pair_exposure_share: Decimal = Decimal("0.25")
    gross_exposure_share: Decimal = Decimal("0.80")
    cash_reserve_share: Decimal = Decimal("0.02")
    open_trades_maximum: int = 8
    open_trades_per_pair: int = 2
    reward_to_cost_minimum: Decimal = Decimal("1.2")
    stop_distance_minimum: Decimal = Decimal("0.002")
    slippage_share: Decimal = Decimal("0.0005")
    market_data_age_seconds: int = 300
    depth_share: Decimal = Decimal("0.25")
    trade_minimum: Decimal = Decimal(10)

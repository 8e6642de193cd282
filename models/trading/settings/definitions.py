"""Every setting there is, with its unit, range, default and what makes a change of it dangerous.

Defaults are those of the rules themselves, so that there is one place for each. Names are the
section of the rule and its field. The table is laid out by hand, one or two lines each.
"""

from datetime import timedelta
from decimal import Decimal

from models.trading.capital.allocation import AllocationMethod, AllocationPolicy
from models.trading.governance.approval import ApprovalPolicy
from models.trading.governance.going_live import LiveConditions
from models.trading.hedge.target import HedgeSettings
from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from models.trading.risk.limits import AccountLimits
from models.trading.risk.portfolio import PortfolioLimits
from models.trading.settings.catalogue import Danger, SettingDefinition, SettingScope
from models.trading.settings.makers import (
    DAY,
    MOST_USD,
    ONE,
    ZERO,
    choice,
    count,
    decimal,
    local_time,
    money,
    names,
    seconds,
    share,
    shares,
    zone,
)
from models.trading.strategy_policy import StrategyPolicy
from models.trading.universe.compliance import ComplianceRules
from models.trading.universe.correlation import CorrelationSettings
from models.trading.universe.pairs import UniverseRules

NONE, RAISING, LOWERING, ANY = Danger.NONE, Danger.RAISING, Danger.LOWERING, Danger.ANY
_RISK, _DRAWDOWN, _PORTFOLIO = AccountLimits(), DrawdownLimits(), PortfolioLimits()
_HEDGE, _APPROVAL, _LIVE = HedgeSettings(), ApprovalPolicy(), LiveConditions()
_UNIVERSE, _CORRELATION = UniverseRules(), CorrelationSettings()
_STRATEGIES = StrategyPolicy()
_COMPLIANCE, _ALLOCATION = ComplianceRules(frozenset()), AllocationPolicy()
_PLATFORM = SettingScope.PLATFORM

# fmt: off
CATALOGUE: tuple[SettingDefinition, ...] = (
    share("risk.risk_share", _RISK.risk_share,
        "Equity at risk between entry and stop of one trade.", RAISING, most=Decimal("0.1")),
    share("risk.volatility_share", Decimal("0.01"),
        "Share of equity that one position may move by on a common bar.",
        RAISING, most=Decimal("0.2")),
    share("risk.cash_reserve_share", _RISK.cash_reserve_share, "Cash never spent.", LOWERING),
    share("risk.stop_distance_minimum", _RISK.stop_distance_minimum,
        "Smallest distance of a stop from the price.", LOWERING),
    share("risk.slippage_share", _RISK.slippage_share,
        "Slippage assumed where no book is seen.", LOWERING),
    share("risk.depth_share", _RISK.depth_share,
        "Largest share of the visible depth that one entry takes.", RAISING),
    decimal("risk.reward_to_cost_minimum", _RISK.reward_to_cost_minimum,
        "Expected move over costs that an entry must reach.", LOWERING, unit="times"),
    count("risk.open_trades_per_pair", _RISK.open_trades_per_pair,
        "Trades at once in one pair.", RAISING),
    seconds("risk.market_data_age_seconds", timedelta(seconds=_RISK.market_data_age_seconds),
        "Oldest market that an entry is judged on.", RAISING, most=DAY),
    share("portfolio.pair_share", _PORTFOLIO.pair_share, "Largest value in one pair.", RAISING),
    share("portfolio.group_share", _PORTFOLIO.group_share,
        "Largest value in one group of correlated pairs.", RAISING),
    share("portfolio.bucket_share", _PORTFOLIO.bucket_share,
        "Largest value in one diversification bucket.", RAISING),
    shares("portfolio.bucket_shares", (), "The same for buckets that differ.", ANY),
    share("portfolio.gross_share", _PORTFOLIO.gross_share,
        "Largest value in all pairs together.", RAISING),
    count("portfolio.trades_maximum", _PORTFOLIO.trades_maximum,
        "Trades open or entering at once.", RAISING),
    count("portfolio.orders_maximum", _PORTFOLIO.orders_maximum,
        "Entry orders within the window.", RAISING),
    seconds("portfolio.orders_window", _PORTFOLIO.orders_window,
        "Window that entry orders are counted in.", LOWERING, least=ONE),
    count("portfolio.losses_maximum", _PORTFOLIO.losses_maximum,
        "Losses of strategies in a row after which they pause; 0: never.", ANY),
    seconds("portfolio.cool_down", _PORTFOLIO.cool_down,
        "How long entries pause after them.", LOWERING),
    share("drawdown.soft_share", _DRAWDOWN.soft_share,
        "Loss of the day from which entries become smaller.", RAISING),
    share("drawdown.hard_share", _DRAWDOWN.hard_share,
        "Loss of the day at which entries stop.", RAISING, least=Decimal("0.001")),
    share("drawdown.total_share", _DRAWDOWN.total_share,
        "Loss from the high-water mark at which entries stop.", RAISING, least=Decimal("0.001")),
    share("drawdown.smallest_factor", _DRAWDOWN.smallest_factor,
        "Size of entries just before the hard level.", RAISING),
    choice("drawdown.positions", _DRAWDOWN.positions.value,
        "What becomes of positions at a hard level.",
        ANY, choices=tuple(p.value for p in PositionsOnHalt)),
    seconds("drawdown.day_overdue_after", _DRAWDOWN.day_overdue_after,
        "How long a day that has ended may wait for its closing before entries stop.", RAISING),
    zone("day.zone", "UTC", "Time zone of the account's day.", ANY),
    local_time("day.starts_at", "00:00", "Local time at which the day begins.", ANY),
    share("exits.trailing_share", ZERO,
        "Distance of a trailing stop, as a share of the highest price; 0: none.", ANY),
    decimal("exits.trailing_multiple", ZERO,
        "The same in multiples of the average true range; 0: none.", ANY, unit="times"),
    seconds("exits.hold_maximum", timedelta(0), "Age at which a trade is closed; 0: never.", ANY),
    share("exits.break_even_gain", ZERO,
        "Gain from which the stop goes to the entry price; 0: never.", ANY),
    share("exits.break_even_offset", ZERO, "How far above the entry price it goes.", LOWERING),
    choice("allocation.method", _ALLOCATION.method.value,
        "How capital is split across strategies.", ANY,
        choices=tuple(method.value for method in AllocationMethod)),
    share("allocation.total", _ALLOCATION.total, "Share of capital for all strategies.", RAISING),
    shares("allocation.fixed", (), "Share of each strategy when the method is fixed.", ANY),
    shares("allocation.least", (), "The least that a strategy has.", ANY),
    shares("allocation.most", (), "The most that a strategy has.", ANY),
    count("allocation.trades_minimum", _ALLOCATION.trades_minimum,
        "Closed trades below which figures count as not known.", LOWERING),
    decimal("allocation.tilt", _ALLOCATION.tilt,
        "How strongly performance moves a share.", RAISING, unit="times", most=Decimal(10)),
    share("strategies.band", _STRATEGIES.band,
        "Distance from a target weight that is traded, as a share of what the pair may hold.",
        LOWERING),
    decimal("strategies.turnover_maximum", _STRATEGIES.turnover_maximum,
        "Value traded one way over equity that a strategy may reach per year.",
        RAISING, unit="times", most=Decimal(1_000_000)),
    share("strategies.cost_share_maximum", _STRATEGIES.cost_share_maximum,
        "Cost of a strategy's round trip over the gain it expects before costs.", RAISING),
    share("strategies.factor_minimum", _STRATEGIES.factor_minimum,
        "Least factor that a poor record and regime leave a strategy.", RAISING),
    count("strategies.trades_minimum", _STRATEGIES.trades_minimum,
        "Closed trades below which a strategy's record tells nothing.", ANY),
    decimal("strategies.tilt", _STRATEGIES.tilt,
        "How strongly a poor record lowers the factor.", LOWERING, unit="times",
        most=Decimal(100)),
    choice("hedge.mode", "off",
        "Whether the formula is followed; an override by hand is in any case.", ANY,
        choices=("off", "automatic")),
    seconds("hedge.review_every", _HEDGE.review_every, "Market time between two reviews.",
        least=Decimal(60)),
    share("hedge.react_share", _HEDGE.react_share,
        "Move of a held pair that brings the next review forward."),
    share("hedge.least", _HEDGE.least, "Smallest share held in USD.", LOWERING),
    share("hedge.most", _HEDGE.most, "Largest share that the formula asks for.", LOWERING),
    share("hedge.calm", _HEDGE.calm, "Daily volatility up to which nothing is added.", RAISING),
    share("hedge.wild", _HEDGE.wild, "Daily volatility from which the most is held.", RAISING),
    share("hedge.slight", _HEDGE.slight, "Drawdown up to which nothing is added.", RAISING),
    share("hedge.severe", _HEDGE.severe, "Drawdown from which the most is held.", RAISING),
    share("hedge.target_band", _HEDGE.target_band, "Change of the formula that moves the target."),
    share("hedge.trade_band", _HEDGE.trade_band, "Distance from the target that is traded."),
    money("hedge.trade_minimum", _HEDGE.trade_minimum, "Smallest trade of the hedge."),
    decimal("hedge.cost_multiple", _HEDGE.cost_multiple,
        "Times its cost that a value must move by on a common day.", unit="times"),
    money("approval.value_minimum", MOST_USD, "Entry that waits for a person, in USD.", RAISING),
    share("approval.equity_share_minimum", _APPROVAL.equity_share_minimum or ONE,
        "Entry that waits for a person, as a share of equity.", RAISING),
    seconds("approval.expires_after", _APPROVAL.expires_after,
        "How long a request waits.", least=ONE),
    share("approval.price_tolerance", _APPROVAL.price_tolerance,
        "How far the price may have moved.", RAISING),
    seconds("live.simulated_minimum", _LIVE.simulated_minimum,
        "Simulation run before going live.", LOWERING),
    seconds("live.reconciled_within", _LIVE.reconciled_within,
        "Oldest reconciliation that counts.", RAISING),
    count("live.simulated_trades_minimum", _LIVE.simulated_trades_minimum,
        "Closed trades in that run.", LOWERING),
    share("compliance.peg_tolerance", _COMPLIANCE.peg_tolerance,
        "How far a stablecoin may be off.", RAISING, scope=_PLATFORM),
    share("compliance.peg_return", _COMPLIANCE.peg_return,
        "From where it counts as back.", RAISING, scope=_PLATFORM),
    names("compliance.sanctioned", (), "Assets that may not be bought.", ANY, scope=_PLATFORM),
    names("compliance.stablecoins", tuple(sorted(_COMPLIANCE.stablecoins)),
        "Assets meant to be worth one USD.", ANY, scope=_PLATFORM),
    money("universe.daily_volume_minimum", _UNIVERSE.daily_volume_minimum,
        "Daily volume that a pair needs.", LOWERING, scope=_PLATFORM),
    count("universe.history_days_minimum", _UNIVERSE.history_days_minimum,
        "Days of candles that a pair needs.", LOWERING, scope=_PLATFORM),
    share("universe.spread_maximum", _UNIVERSE.spread_maximum,
        "Widest quoted spread.", RAISING, scope=_PLATFORM),
    count("correlation.window", _CORRELATION.window,
        "Newest returns used, in bars.", least=Decimal(3), scope=_PLATFORM),
    count("correlation.prior_weight", _CORRELATION.prior_weight,
        "Observations that the target counts for.", scope=_PLATFORM),
    share("correlation.prior", Decimal(str(_CORRELATION.prior)),
        "Correlation assumed before anything is known.", LOWERING, scope=_PLATFORM),
    share("correlation.threshold", Decimal(str(_CORRELATION.threshold)),
        "Mean correlation that makes one group.", RAISING, scope=_PLATFORM),
)
# fmt: on

BY_NAME = {definition.name: definition for definition in CATALOGUE}

ORDERED: tuple[tuple[str, str], ...] = (
    ("drawdown.soft_share", "drawdown.hard_share"),
    ("drawdown.hard_share", "drawdown.total_share"),
    ("hedge.least", "hedge.most"),
    ("hedge.calm", "hedge.wild"),
    ("hedge.slight", "hedge.severe"),
    ("portfolio.pair_share", "portfolio.gross_share"),
    ("compliance.peg_return", "compliance.peg_tolerance"),
)
"""Settings of which the first may not be above the second."""

"""The state of one account: what it holds, what is promised, and why it may be halted."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.account.entries.basis import CostBudget
from models.trading.account.entries.waiting import WaitingEntry
from models.trading.account.figures import FigureTimes
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.settings.waiting import WaitingChange, WaitingLift
from models.trading.answers import Answer
from models.trading.capital.flows import CapitalFlow
from models.trading.capital.strategy_results import StrategyResults
from models.trading.governance.approval import ApprovalPolicy
from models.trading.hedge.book import HedgeBook
from models.trading.hedge.target import HedgeSettings, HedgeState
from models.trading.instruments import Instrument
from models.trading.risk.drawdown import DrawdownState, DueDay
from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.limits import AccountLimits, FeeRates, Mode, ProtectionMode
from models.trading.risk.losses import LossRecord
from models.trading.risk.portfolio import LossStreak
from models.trading.settings.exits import ExitDefaults
from models.trading.trade.state import TradeSummary
from models.trading.trading_day import DayRule

ZERO = Decimal(0)


class HaltKind(StrEnum):
    """Why an account takes no entries; each is lifted by its own cause only."""

    REQUESTED = "requested"
    KILL_SWITCH = "kill_switch"
    NO_EXCHANGE = "no_exchange"
    COOLING_DOWN = "cooling_down"
    REQUEST_BLOCKED = "request_blocked"
    HOLDING_SHORT = "holding_short"
    INCONSISTENT = "inconsistent"
    FOREIGN_INSTANCE = "foreign_instance"
    DAILY_DRAWDOWN = "daily_drawdown"
    TOTAL_DRAWDOWN = "total_drawdown"
    RESCUE = "rescue"
    UNMEASURED = "unmeasured"
    DAY_OVERDUE = "day_overdue"
    DAY_PEAK_LOSS = "day_peak_loss"
    WEEK_LOSS = "week_loss"
    MONTH_LOSS = "month_loss"
    OUTDATED = "outdated"


AWAY = (HaltKind.NO_EXCHANGE, HaltKind.COOLING_DOWN)
"""Halts while which nobody knows what the exchange holds now."""


@dataclass(frozen=True, slots=True)
class Halt:
    """One reason for which no entries are taken. ``number`` is the kill switch's or the trade's."""

    kind: HaltKind
    reason: str
    since: datetime
    number: int | None = None


@dataclass(frozen=True, slots=True)
class PairStop:
    """A kill switch of single pairs: no entries in them, whatever else the account does."""

    number: int
    symbols: tuple[str, ...]
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AccountState:
    """Carry everything an account needs for its next decision; replaced, never changed.

    ``balances`` are totals by asset without the effect of the trades in ``trades``: as the
    exchange told them when no trade was open, and moved since by the trades that settled.
    ``traded_at`` is the protocol time at which a trade was last entered or told of itself.
    ``recent_requests`` are ids already dealt with, oldest first, and ``recent_answers`` what was
    answered (without verdicts): a repeat is answered, not obeyed. ``prices`` are the last mid
    prices seen by symbol and ``market_time`` the newest market time seen with one.
    ``universe`` are the symbols that entries may be made in (None: not told yet, so whatever the
    exchange lists in USD), ``buckets`` and ``groups`` by symbol; ``market_rules`` are the version
    of the universe and the number of the groups. ``results`` are what each strategy has earned.
    ``drawdown`` is None until equity could be measured, which it was first at ``measured_since``
    (market time). ``recent_flows`` are the newest capital
    flows counted, ``waiting_flows`` those of the day that follows one not closed yet.
    ``day_due`` is the day that has ended and is not closed yet, None while none is.
    ``unexplained`` is by how much the exchange's totals differed from ours at the last look.
    ``waiting`` are entries and ``waiting_changes`` changes of settings that a second person decides
    on, by the approval's id. ``hedge_target``
    is the share in USD in force (None: no hedge), ``hedge_review`` the newest review of it,
    ``hedge_sales`` what all sales of a trade shall reach while the hedge makes it smaller, asked
    for at ``hedge_moved_at`` (protocol time); ``hedge_shown`` while the record shows a hedge.
    ``settings`` are the account's and ``platform`` the platform's; ``limits`` and every other
    policy here follow from the former (``account.rules.adopt``). ``entry_orders`` are the market
    times of recent entries, ``losses`` the losing trades of strategies in a row, ``off_peg`` the
    stablecoins seen off their peg. ``loss_record`` is what losses on each clock are measured
    against (None: nothing was measured yet), ``peak_recorded`` the day's best as last written down.
    ``dust`` are base units by asset, within ``balances``, that settled trades left because they
    could not be sold. ``unbacked_costs`` is what entries without an expectation have
    cost on the newest day of the account that had one, ``figure_times`` when figures were told,
    ``prices_due`` the market time by which the prices of what is held should have been told again.
    ``strategy_factors`` is what the orchestrator leaves of what strategies want, where it is less
    than all. ``pair_stops`` are the kill switches of single pairs.
    ``waiting_lifts`` are lifts of the total drawdown's halt that a second person decides on.
    """

    account: str
    installation: str
    mode: Mode = Mode.SIMULATED
    protection: ProtectionMode = ProtectionMode.SEPARATE
    limits: AccountLimits = field(default_factory=AccountLimits)
    strategies: tuple[str, ...] = ()
    instruments: dict[str, Instrument] = field(default_factory=dict)
    fees: dict[str, FeeRates] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=dict)
    trades: dict[int, TradeSummary] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    halts: tuple[Halt, ...] = ()
    next_trade: int = 1
    recent_requests: tuple[str, ...] = ()
    recent_answers: tuple[Answer, ...] = ()
    market_time: datetime | None = None
    prices_due: datetime | None = None
    closed_trades: int = 0
    traded_at: datetime | None = None
    universe: tuple[str, ...] | None = None
    buckets: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    market_rules: tuple[int, int] = (0, 0)
    results: dict[str, StrategyResults] = field(default_factory=dict)
    drawdown: DrawdownState | None = None
    measured_since: datetime | None = None
    recent_flows: tuple[str, ...] = ()
    waiting_flows: tuple[CapitalFlow, ...] = ()
    day_due: DueDay | None = None
    unexplained: dict[str, Decimal] = field(default_factory=dict)
    drawdown_limits: DrawdownLimits = field(default_factory=DrawdownLimits)
    day: DayRule = field(default_factory=DayRule)
    hedge_settings: HedgeSettings = field(default_factory=HedgeSettings)
    approval: ApprovalPolicy = field(default_factory=ApprovalPolicy)
    exit_defaults: ExitDefaults = field(default_factory=ExitDefaults)
    waiting: dict[str, WaitingEntry] = field(default_factory=dict)
    waiting_changes: dict[str, WaitingChange] = field(default_factory=dict)
    hedge: HedgeState = field(default_factory=HedgeState)
    hedge_target: Decimal | None = None
    hedge_book: HedgeBook = field(default_factory=HedgeBook)
    hedge_review: str = ""
    hedge_sales: dict[int, Decimal] = field(default_factory=dict)
    hedge_moved_at: datetime | None = None
    hedge_shown: bool = False
    settings: SettingsInForce = field(default_factory=SettingsInForce)
    platform: SettingsInForce = field(default_factory=SettingsInForce)
    entry_orders: tuple[datetime, ...] = ()
    losses: LossStreak = field(default_factory=LossStreak)
    off_peg: tuple[str, ...] = ()
    loss_record: LossRecord | None = None
    peak_recorded: Decimal = ZERO
    dust: dict[str, Decimal] = field(default_factory=dict)
    unbacked_costs: CostBudget = field(default_factory=CostBudget)
    figure_times: FigureTimes = field(default_factory=FigureTimes)
    strategy_factors: dict[str, Decimal] = field(default_factory=dict)
    pair_stops: tuple[PairStop, ...] = ()
    waiting_lifts: dict[str, WaitingLift] = field(default_factory=dict)

    @property
    def cash(self) -> Decimal:
        """Return USD held now: the base balance and the cash flow of the open trades."""
        flows = sum((t.cash_flow for t in self.trades.values()), ZERO)
        return self.balances.get("USD", ZERO) + flows

    @property
    def reserved_cash(self) -> Decimal:
        """Return USD promised to entries that are not filled yet, fees included."""
        return sum((t.reserved_cash for t in self.trades.values()), ZERO)

    @property
    def available_cash(self) -> Decimal:
        """Return USD that a new entry may use."""
        return self.cash - self.reserved_cash

    @property
    def is_halted(self) -> bool:
        """Tell whether new entries are refused."""
        return bool(self.halts)

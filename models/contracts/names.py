"""Names by which the parts find each other: workflow ids, task queues, signals, updates."""

from models.trading.account.capital.facts import DayBoundaryPassed, PricesMarked
from models.trading.account.facts import (
    ExchangeLost,
    ExchangeReady,
    ForeignInstanceMet,
    IdeaArrived,
    KillSwitchEngaged,
    KillSwitchLifted,
    TradeProgressed,
    UniverseUpdated,
)
from models.trading.account.hedge.facts import HedgeReviewDue
from models.trading.trade.facts import (
    ChildAppeared,
    CloseRequested,
    EntryCancelRequested,
    FillReported,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderRefused,
    PartialExitRequested,
    PriceCrossed,
    StopMoveRequested,
)

TRADING_QUEUE = "trading"
MARKET_QUEUE = "market"

TRADE_SIGNALS: dict[type, str] = {
    OrderAcknowledged: "order_acknowledged",
    OrderRefused: "order_refused",
    OrderDoubted: "order_doubted",
    FillReported: "order_filled",
    OrderEnded: "order_closed",
    ChildAppeared: "child_appeared",
    PriceCrossed: "price_crossed",
    CloseRequested: "close_requested",
    EntryCancelRequested: "entry_cancel_requested",
    PartialExitRequested: "partial_exit_requested",
    StopMoveRequested: "stop_move_requested",
}

HEDGE_SIGNALS: dict[type, str] = {
    PriceCrossed: "timer_fired",
    HedgeReviewDue: "review_due",
}

ACCOUNT_SIGNALS: dict[type, str] = {
    ExchangeReady: "exchange_ready",
    ExchangeLost: "exchange_lost",
    ForeignInstanceMet: "foreign_instance_met",
    IdeaArrived: "idea_arrived",
    TradeProgressed: "trade_progressed",
    KillSwitchEngaged: "kill_switch_engaged",
    KillSwitchLifted: "kill_switch_lifted",
    UniverseUpdated: "universe_updated",
    PricesMarked: "prices_marked",
    DayBoundaryPassed: "day_boundary_passed",
}


def account_workflow_id(account: str) -> str:
    """Return the workflow id of an account."""
    return f"account/{account}"


def trade_workflow_id(account: str, number: int) -> str:
    """Return the workflow id of a trade."""
    return f"trade/{account}/{number}"


def hedge_workflow_id(account: str) -> str:
    """Return the workflow id of an account's hedge."""
    return f"hedge/{account}"


def approval_workflow_id(account: str, approval: str) -> str:
    """Return the workflow id of a request for approval."""
    return f"approval/{account}/{approval}"


def stream_workflow_id(account: str) -> str:
    """Return the workflow id of an account's private stream."""
    return f"stream/{account}"


def reconcile_workflow_id(account: str) -> str:
    """Return the workflow id of an account's reconciliation."""
    return f"reconcile/{account}"


def daily_reset_workflow_id(account: str) -> str:
    """Return the workflow id of the closing of an account's days."""
    return f"daily-reset/{account}"


def kill_switch_workflow_id(number: int) -> str:
    """Return the workflow id of a kill switch engagement."""
    return f"kill-switch/{number}"


def live_conditions_workflow_id(account: str, look: str) -> str:
    """Return the workflow id of one look at what going live rests on."""
    return f"live-conditions/{account}/{look}"


def stress_workflow_id(account: str, run: str) -> str:
    """Return the workflow id of one stress run of an account."""
    return f"stress/{account}/{run}"


MARKET_FEED_WORKFLOW_ID = "market-feed"
PLATFORM_WORKFLOW_ID = "platform"
UNIVERSE_REVIEW_ID = "universe-review"
CORRELATION_ID = "correlation"
MARKET_RULES_ID = "market-rules"

OPEN_TRADE_UPDATE = "open_trade"
CLOSE_TRADE_UPDATE = "close_trade"
HALT_UPDATE = "halt"
RESUME_UPDATE = "resume"
SET_MODE_UPDATE = "set_mode"
CHANGE_LIMITS_UPDATE = "change_limits"
CHANGE_SETTINGS_UPDATE = "change_settings"
MOVE_CAPITAL_UPDATE = "move_capital"
LIFT_DRAWDOWN_UPDATE = "lift_drawdown"
CLOSE_NOW_UPDATE = "close_now"
MOVE_STOP_UPDATE = "move_stop"
APPROVE_LIFT_UPDATE = "approve_lift"
CHANGE_EXITS_UPDATE = "change_exits"
SETTLE_APPROVAL_UPDATE = "settle_approval"
DECIDE_APPROVAL_UPDATE = "decide"
CHANGE_PLATFORM_UPDATE = "change_platform_settings"
CHANGE_UNIVERSE_UPDATE = "change_universe"
REVIEW_HEDGE_UPDATE = "review_hedge"
OVERRIDE_HEDGE_UPDATE = "override_hedge"
CLEAR_HEDGE_UPDATE = "clear_hedge_override"
SNAPSHOT_QUERY = "snapshot"
REST_QUERY = "rest"
ACCOUNT_ACKNOWLEDGED_SIGNAL = "account_acknowledged"

ACCOUNT_WORKFLOW = "AccountWorkflow"
TRADE_WORKFLOW = "TradeWorkflow"
KILL_SWITCH_WORKFLOW = "KillSwitchWorkflow"
DAILY_RESET_WORKFLOW = "DailyResetWorkflow"
RECONCILE_WORKFLOW = "ReconcileWorkflow"
APPROVAL_WORKFLOW = "ApprovalWorkflow"
HEDGE_WORKFLOW = "HedgeWorkflow"
ACCOUNT_STREAM_WORKFLOW = "AccountStreamWorkflow"
MARKET_FEED_WORKFLOW = "MarketFeedWorkflow"
UNIVERSE_REVIEW_WORKFLOW = "UniverseReviewWorkflow"
CORRELATION_WORKFLOW = "CorrelationWorkflow"
SIGNAL_MARKET_RULES_WORKFLOW = "SignalMarketRulesWorkflow"
STRESS_WORKFLOW = "StressWorkflow"
RECONCILE_WORKFLOW = "ReconcileWorkflow"
PLATFORM_WORKFLOW = "PlatformWorkflow"
LIVE_CONDITIONS_WORKFLOW = "LiveConditionsWorkflow"

SEARCH_ATTRIBUTES = {
    "AccountId": "Keyword",
    "Pair": "Keyword",
    "Strategy": "Keyword",
    "Mode": "Keyword",
    "TradingState": "Keyword",
    "Halted": "Bool",
    "OpenedAt": "Datetime",
}

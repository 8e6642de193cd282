"""Which right each route and each workflow update takes. What is not named here is refused."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from models.contracts import names
from models.trading.governance.rights import Action


class Way(StrEnum):
    """How a route is entered that takes no right of the table.

    ``open``: without showing anything. ``enrol``: with a session opened by a link, or a full one
    that is confirmed for it. ``enrolling``: the same, unconfirmed, to finish what was begun.
    """

    OPEN = "open"
    ENROL = "enrol"
    ENROLLING = "enrolling"


Rule = Action | Way

_READ_ACCOUNT = (
    "list_accounts",
    "get_account",
    "list_positions",
    "list_watches",
    "list_reconciliations",
    "list_unknown_orders",
    "list_trades",
    "get_trade",
    "get_assessment",
    "preview_trade",
    "get_trade_story",
    "get_explanation",
    "ask_advisor",
    "list_questions",
    "get_report",
    "list_reports",
    "get_stored_report",
    "make_report",
    "export_trades",
    "list_orders",
    "list_slippage",
    "list_limits",
    "list_lots",
    "list_gains",
    "export_lots",
    "export_gains",
    "list_days",
    "get_drawdown",
    "get_capital",
    "get_portfolio",
    "get_portfolios",
    "get_hedge",
    "list_hedge_reviews",
    "list_stress_runs",
    "get_stress_run",
    "get_shadow_report",
    "get_account_settings",
    "list_account_settings",
    "export_account_settings",
    "get_going_live",
    "check_going_live",
    "list_live_requests",
    "list_mode_changes",
    "list_approvals",
    "list_keys",
    "get_approval",
)
_READ_PLATFORM = (
    "get_status",
    "get_system",
    "list_trainings",
    "list_trials",
    "list_strategies",
    "list_backtests",
    "get_backtest",
    "get_backtest_page",
    "get_backtest_choices",
    "compare_backtests",
    "get_champion",
    "get_drift",
    "list_models",
    "list_predictions",
    "get_signal_graph",
    "get_control_room",
    "follow_events",
    "get_freeze",
    "get_universe",
    "list_universe_versions",
    "get_universe_proposal",
    "list_universe_changes",
    "get_correlations",
    "list_market_candles",
    "list_market_figures",
    "list_market_doubts",
    "list_market_sentiment",
    "list_market_data_work",
    "get_settings_definitions",
    "get_platform_settings",
    "list_platform_settings",
    "export_platform_settings",
    "list_kill_switches",
    "get_rights",
    "list_authors",
    "get_documentation",
    "get_documentation_file",
    "get_openapi",
)

ROUTES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("get_health", "get_readiness", "get_metrics"), Way.OPEN),
    **dict.fromkeys(("sign_in", "complete_sign_in", "look_at_enrolment", "enrol"), Way.OPEN),
    **dict.fromkeys(("get_set_up_page", "get_set_up_script"), Way.OPEN),
    **dict.fromkeys(("add_totp", "begin_passkey"), Way.ENROL),
    **dict.fromkeys(("confirm_totp", "finish_passkey"), Way.ENROLLING),
    **dict.fromkeys(_READ_ACCOUNT, Action.ACCOUNT_READ),
    **dict.fromkeys(_READ_PLATFORM, Action.PLATFORM_READ),
    "halt_account": Action.ACCOUNT_HALT,
    "resume_account": Action.ACCOUNT_RESUME,
    "change_mode": Action.ACCOUNT_MODE,
    "change_account_settings": Action.ACCOUNT_SETTINGS,
    "open_trade": Action.TRADE_OPEN,
    "close_trade": Action.TRADE_CLOSE,
    "move_stop": Action.TRADE_PROTECT,
    "change_exits": Action.TRADE_PROTECT,
    "move_capital": Action.CAPITAL_MOVE,
    "lift_drawdown": Action.DRAWDOWN_LIFT,
    "override_hedge": Action.HEDGE_OVERRIDE,
    "clear_hedge_override": Action.HEDGE_OVERRIDE,
    "run_stress": Action.STRESS_RUN,
    **dict.fromkeys(("upload_key", "check_key", "remove_key"), Action.KEY_MANAGE),
    **dict.fromkeys(("start_backtest", "cancel_backtest"), Action.BACKTEST_RUN),
    **dict.fromkeys(
        ("ask_for_pack", "list_packs", "get_pack", "fetch_pack"), Action.EVIDENCE_EXPORT
    ),
    **dict.fromkeys(
        (
            "list_audit_entries",
            "search_audit_entries",
            "export_audit_entries",
            "get_record_protection",
        ),
        Action.AUDIT_READ,
    ),
    "approve": Action.APPROVAL_APPROVE,
    "refuse": Action.APPROVAL_REFUSE,
    "request_going_live": Action.LIVE_REQUEST,
    "approve_going_live": Action.LIVE_APPROVE,
    "engage_kill_switch": Action.KILL_SWITCH_ENGAGE,
    "lift_kill_switch": Action.KILL_SWITCH_LIFT,
    "change_platform_settings": Action.PLATFORM_SETTINGS,
    **dict.fromkeys(
        ("start_training", "cancel_training", "roll_back_champion"), Action.PLATFORM_SETTINGS
    ),
    "begin_freeze": Action.FREEZE_BEGIN,
    "end_freeze": Action.FREEZE_END,
    "review_break": Action.FREEZE_REVIEW,
    "request_universe_change": Action.UNIVERSE_REQUEST,
    "approve_universe_change": Action.UNIVERSE_APPROVE,
    "refuse_universe_change": Action.UNIVERSE_REFUSE,
    "open_codec_session": Action.PAYLOAD_READ,
    "decode_payloads": Action.PAYLOAD_READ,
    **dict.fromkeys(
        ("list_notifications", "get_notification", "get_notification_status"),
        Action.NOTIFICATION_READ,
    ),
    "acknowledge_notification": Action.NOTIFICATION_ACKNOWLEDGE,
    **dict.fromkeys(("post_notification", "receive_alerts"), Action.NOTIFICATION_POST),
    "list_people": Action.PEOPLE_READ,
    **dict.fromkeys(
        ("invite_person", "change_person", "disable_person", "reset_factors"), Action.PEOPLE_MANAGE
    ),
    "list_sessions_of": Action.PEOPLE_READ,
    "revoke_session_of": Action.PEOPLE_MANAGE,
    "list_recoveries": Action.RECOVERY_CANCEL,
    "cancel_recovery": Action.RECOVERY_CANCEL,
    **dict.fromkeys(
        ("get_me", "list_sessions", "list_factors", "list_tokens", "get_channels"),
        Action.SELF_READ,
    ),
    **dict.fromkeys(
        ("sign_out", "revoke_session", "ask_step_up", "confirm_step_up", "revoke_token"),
        Action.SELF_MANAGE,
    ),
    **dict.fromkeys(
        ("add_channel", "remove_channel", "try_channel", "set_quiet_hours"), Action.SELF_MANAGE
    ),
    **dict.fromkeys(
        ("change_password", "remove_factor", "replace_recovery_codes", "make_token"),
        Action.SELF_ELEVATE,
    ),
}
"""By the name of the route's function, which is its operation id."""

BROWSER: Final = frozenset(
    {
        "get_documentation",
        "get_documentation_file",
        "get_openapi",
        "open_codec_session",
        "decode_payloads",
    }
)
"""Routes that also take a token as a browser's password, and judge the right by themselves."""

UPDATES: Final[Mapping[str, Action]] = {
    names.OPEN_TRADE_UPDATE: Action.TRADE_OPEN,
    names.CLOSE_TRADE_UPDATE: Action.TRADE_CLOSE,
    names.CLOSE_NOW_UPDATE: Action.TRADE_CLOSE,
    names.MOVE_STOP_UPDATE: Action.TRADE_PROTECT,
    names.CHANGE_EXITS_UPDATE: Action.TRADE_PROTECT,
    names.HALT_UPDATE: Action.ACCOUNT_HALT,
    names.RESUME_UPDATE: Action.ACCOUNT_RESUME,
    names.SET_MODE_UPDATE: Action.ACCOUNT_MODE,
    names.CHANGE_LIMITS_UPDATE: Action.ACCOUNT_SETTINGS,
    names.CHANGE_SETTINGS_UPDATE: Action.ACCOUNT_SETTINGS,
    names.MOVE_CAPITAL_UPDATE: Action.CAPITAL_MOVE,
    names.LIFT_DRAWDOWN_UPDATE: Action.DRAWDOWN_LIFT,
    names.OVERRIDE_HEDGE_UPDATE: Action.HEDGE_OVERRIDE,
    names.CLEAR_HEDGE_UPDATE: Action.HEDGE_OVERRIDE,
    names.DECIDE_APPROVAL_UPDATE: Action.APPROVAL_REFUSE,
    names.CHANGE_PLATFORM_UPDATE: Action.PLATFORM_SETTINGS,
    names.CHANGE_UNIVERSE_UPDATE: Action.UNIVERSE_REQUEST,
}
"""What whoever has an update sent must be allowed; approving takes more, which its route asks for.

Updates that only workflows send each other (``INTERNAL_UPDATES``) are nobody's to send.
"""

INTERNAL_UPDATES: Final = frozenset(
    {names.SETTLE_APPROVAL_UPDATE, names.REVIEW_HEDGE_UPDATE, names.APPROVE_LIFT_UPDATE}
)

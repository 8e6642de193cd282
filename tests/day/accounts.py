"""The three accounts: each with settings of its own, and the books that must always agree."""

from decimal import Decimal
from typing import Any

from tests.day.desk import ACCOUNTS, Desk
from tests.day.report import Report

ZONES = {"company": "Asia/Singapore", "director-1": "Asia/Tokyo", "director-2": "America/New_York"}

WIDE_LOSSES = {
    f"losses.{name}_{level}_share": share
    for name in ("day_peak", "week", "month", "strategy", "open_risk")
    for level, share in (("soft", "0.9"), ("hard", "0.95"))
}
"""The day is one of drawdowns and of sizes: the limits on longer clocks stay out of its way."""

SETTINGS: dict[str, dict[str, Any]] = {
    "company": {
        **WIDE_LOSSES,
        "day.zone": ZONES["company"],
        "drawdown.soft_share": "0.01",
        "drawdown.hard_share": "0.025",
        "drawdown.positions": "keep_protected",
        "approval.equity_share_minimum": "0.15",
        "portfolio.trades_maximum": 3,
        "portfolio.orders_maximum": 3,
        "portfolio.orders_window": 43_200,
        "allocation.total": "0",
    },
    "director-1": {
        **WIDE_LOSSES,
        "day.zone": ZONES["director-1"],
        "risk.risk_share": "0.08",
        "risk.volatility_share": "0.2",
        "drawdown.soft_share": "0.01",
        "drawdown.hard_share": "0.05",
        "drawdown.smallest_factor": "0.25",
        "drawdown.positions": "close",
        "portfolio.group_share": "0.80",
        "portfolio.bucket_share": "0.80",
        "allocation.total": "0",
    },
    "director-2": {
        **WIDE_LOSSES,
        "day.zone": ZONES["director-2"],
        "risk.risk_share": "0.10",
        "risk.volatility_share": "0.2",
        "drawdown.soft_share": "0.30",
        "drawdown.hard_share": "0.40",
        "drawdown.total_share": "0.50",
        "portfolio.pair_share": "0.30",
        "portfolio.trades_maximum": 40,
        "risk.open_trades_per_pair": 20,
        "allocation.total": "0",
        "hedge.mode": "automatic",
        "hedge.review_every": 900,
        "hedge.volatility_low": "0.5",
        "hedge.volatility_high": "0.9",
        "hedge.drawdown_low": "0.01",
        "hedge.drawdown_high": "0.10",
    },
}
"""No strategy has capital, so that every trade is one of the script or of the hedge. The volatility
of the hedge's account counts from where no market goes: its target follows the drawdown alone."""


def set_up(desk: Desk, report: Report) -> None:
    """Give every account its settings as soon as it trades."""
    desk.until(lambda: all(_trades(desk, account) for account in ACCOUNTS), "the accounts trade")
    for account in ACCOUNTS:
        _settings(desk, report, account)


def verified(desk: Desk, report: Report, when: str) -> None:
    """Check that the platform's books and the exchange's agree."""
    found = desk.verify()
    holds = {
        "no invariant is violated": found["clean"],
        "there is something to compare": found["orders"] > 0 < found["fills"],
    }
    report.check(f"aether verify is clean {when}", holds, **found)


def _trades(desk: Desk, account: str) -> bool:
    view = desk.get(f"/accounts/{account}")
    return view["state"] == "trading" and "USD" in view["balances"]


def _settings(desk: Desk, report: Report, account: str) -> None:
    path = f"/accounts/{account}/settings"
    change: dict[str, Any] = {"updates": SETTINGS[account], "reason": "the scripted day"}
    status, answer = desk.post(path, **change)
    refused = answer if status == 409 else None
    if refused is not None:
        status, answer = desk.post(path, **change, confirm=True)
    desk.until(lambda: desk.get(path)["version"] == answer["version"], "the settings are written")
    view = desk.get(path)
    shown = {name: view["values"][name] for name in SETTINGS[account]}
    holds = {
        "the change is taken": status == 200,
        "just what is dangerous had to be confirmed": bool(answer["dangerous"])
        == (refused is not None),
        "author and reason are kept": bool(view["author"]) and view["reason"] == change["reason"],
        "every value is in force": all(
            _same(shown[name], wanted) for name, wanted in SETTINGS[account].items()
        ),
    }
    name = f"settings of {account} are a version with author and reason"
    report.check(name, holds, refused=refused, changed=answer, view=shown, author=view["author"])


def _same(shown: Any, wanted: Any) -> bool:
    try:
        return Decimal(str(shown)) == Decimal(str(wanted))
    except ArithmeticError:
        return bool(shown == wanted)

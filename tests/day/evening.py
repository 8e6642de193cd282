"""The evening: days end where each account lives, halts with them; what the day came to."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.day import hedge
from tests.day.accounts import SETTINGS, ZONES, verified
from tests.day.crash import TOLD
from tests.day.desk import ACCOUNTS, Desk
from tests.day.recording import BAR
from tests.day.report import Report
from tests.day.rules import days_ended, near, time_weighted_return

FIRST_EQUITY = Decimal(100_000)
CENTS = Decimal("0.05")
OWN_PRINTS = Decimal("0.001")
"""By how much the account's own purchases may move a close."""


def play(desk: Desk, report: Report) -> None:
    """Pass two boundaries in the recovery, then the hedge by hand."""
    _reset(desk, report, "director-1", "0.2")
    _reset(desk, report, "company", "0.2", quantity="3")
    hedge.by_formula(desk, report)
    expires = hedge.by_hand(desk, report)
    verified(desk, report, "under the override")
    desk.go_to(desk.now + 2 * BAR)
    hedge.expired(desk, report, expires)
    _days(desk, report)
    _returns(desk, report)
    verified(desk, report, "at the end")


def _reset(desk: Desk, report: Report, account: str, stop: str, **more: Any) -> None:
    """Just before its day ends the halt stands; just after, entries are taken again."""
    standing, boundary = desk.halts(account), desk.now
    refused, problem = desk.open(account, "SOL", stop, quantity="2")
    desk.go_to(desk.now + BAR)
    days, equity = desk.get(f"/accounts/{account}/days"), desk.value_at(account, boundary)
    drawdown, halts = desk.get(f"/accounts/{account}/drawdown"), desk.halts(account)
    closed = desk.audited(account, "day_closed")[-1]
    trade = desk.opened(account, "SOL", stop, **more)
    day = days[0]
    holds = {
        "the halt stood up to the boundary": bool(standing) and refused == 409,
        "the day ended at the local midnight": datetime.fromisoformat(day["closed_at"]) == boundary,
        "it is recorded as one with a halt": day["halted"],
        "it closed with what the account was worth": near(
            Decimal(day["closing_equity"]), equity or Decimal(0), CENTS
        ),
        "that is the next day's baseline": Decimal(drawdown["opening_equity"])
        == Decimal(day["closing_equity"]),
        "the halt is lifted, and said so": not halts and closed["details"]["halt_lifted"] == "true",
        "an entry is taken again": Decimal(trade["bought"]) > 0,
    }
    report.check(
        f"reset of {account} at midnight in {ZONES[account]}",
        holds,
        standing=standing,
        refused=problem,
        equity=equity,
        day=day,
        drawdown=drawdown,
        audited=closed,
        trade=trade,
    )


def _days(desk: Desk, report: Report) -> None:
    """Each account closed each of its days once, with figures that add up."""
    for account in ACCOUNTS:
        days = desk.get(f"/accounts/{account}/days")[::-1]
        fills = desk.record(account)["fills"]
        begun = desk.recording.bars["BTC"][0]["ts"]
        # The boundary that the market stands before has not passed.
        expected = [end for end in days_ended(ZONES[account], begun, desk.now) if end < desk.now]
        ends = [datetime.fromisoformat(day["closed_at"]) for day in days]
        known = [_equity_at(desk, account, end) for end in ends]
        holds = {
            "each boundary that passed was closed once": ends == expected,
            "profit is closing less opening less flows": all(
                Decimal(d["profit"])
                == Decimal(d["closing_equity"]) - Decimal(d["opening_equity"]) - Decimal(d["flows"])
                for d in days
            ),
            "realised and unrealised make the profit": all(
                Decimal(d["realised"]) + Decimal(d["unrealised"]) == Decimal(d["profit"])
                for d in days
            ),
            "closing values are the exchange's balances at its closes": all(
                equity is not None and near(Decimal(day["closing_equity"]), equity, CENTS)
                for day, equity in zip(days, known, strict=True)
            ),
            "fees are those of the exchange's fills": all(
                near(Decimal(day["fees"]), _fees(fills, day), Decimal("0.0001")) for day in days
            ),
            "a day with a halt is named": any(day["halted"] for day in days)
            == (account in ("company", "director-1")),
        }
        report.check(f"days of {account}", holds, days=days, expected=expected, equities=known)


def _equity_at(desk: Desk, account: str, at: datetime) -> Decimal | None:
    """Return equity where the script stopped; before the first trade it was all cash."""
    first = FIRST_EQUITY if at < desk.recording.day else None
    value, recorded = desk.value_at(account, at), desk.equities.get((account, at))
    if value is None or recorded is None:
        return first
    return value if near(value, recorded, recorded * OWN_PRINTS) else None


def _fees(fills: list[dict[str, Any]], day: dict[str, Any]) -> Decimal:
    opened, closed = (datetime.fromisoformat(day[n]) for n in ("opened_at", "closed_at"))
    within = [
        Decimal(str(fill["fee"]))
        for fill in fills
        if opened <= datetime.fromisoformat(fill["exchange_time"]) < closed
    ]
    return sum(within, Decimal(0))


def _returns(desk: Desk, report: Report) -> None:
    """The return is that of trading: time-weighted, whatever capital came in."""
    for account in SETTINGS:
        equity = desk.equity(account)
        values = [(FIRST_EQUITY, Decimal(0)), *desk.deposits.get(account, []), (equity, Decimal(0))]
        expected = time_weighted_return(values)
        found = desk.get(f"/accounts/{account}/portfolio")
        flows = sum((flow for _, flow in values), Decimal(0))
        holds = {
            "value is the exchange's balances at the recorded closes": near(
                Decimal(found["nav"]), equity, CENTS
            ),
            "the return is chained over every flow": near(
                Decimal(found["return_share"]), expected, TOLD
            ),
        }
        shown = {name: found[name] for name in ("nav", "cash", "return_share", "holdings")}
        report.check(
            f"time-weighted return of {account}",
            holds,
            portfolio=shown,
            values=values,
            expected=expected,
            without_regard_to_flows=(equity - flows) / FIRST_EQUITY - 1,
        )

"""The fall: smaller entries, a deposit that hides nothing, two hard levels, the hedge going up."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.day.accounts import SETTINGS, verified
from tests.day.desk import DayError, Desk
from tests.day.recording import ASSETS, BAR
from tests.day.report import Report
from tests.day.rules import ONE, loss_per_unit, near, size_factor

FINAL = ("closed", "canceled", "expired")
DEPOSIT = Decimal(20_000)
TOLD = Decimal("0.0002")
"""An account is told of prices when its equity has moved by a thousandth, and measures a flow at
those: of a loss that is the thousandth times the share of the new capital."""
WITHIN_SOFT = Decimal("0.014")
"""How far down the account is when the small entry is asked for: between its two levels."""


def play(desk: Desk, report: Report) -> None:
    """Go down with the market, up to the boundary of the day in Tokyo."""
    begun = {account: desk.equities[account, desk.recording.at(hours=1)] for account in SETTINGS}
    noted: set[str] = set()
    boundary = desk.recording.at(hours=15)
    soft_done = False
    while desk.now < boundary:
        before = {account: desk.held(account) for account in SETTINGS}
        desk.go_to(desk.now + BAR)
        if not soft_done and _lost(desk, "director-1", begun) >= WITHIN_SOFT:
            _soft(desk, report, begun["director-1"])
            _deposit(desk, report)
            verified(desk, report, "in the soft drawdown")
            soft_done = True
        for account in ("director-1", "company"):
            if account not in noted and desk.halts(account):
                noted.add(account)
                _hard(desk, report, account, before[account], begun[account])
    if not soft_done or len(noted) < 2:
        raise DayError(f"the fall reached no level: soft {soft_done}, hard {sorted(noted)}")
    verified(desk, report, "after both hard drawdowns")


def _lost(desk: Desk, account: str, begun: Mapping[str, Decimal]) -> Decimal:
    return ONE - desk.equity(account) / begun[account]


def _soft(desk: Desk, report: Report, begun: Decimal) -> None:
    """Between the levels what may be risked shrinks with the loss."""
    account, rules = "director-1", SETTINGS["director-1"]
    equity, ask = desk.equity(account), desk.figures("ETH")["ask"]
    lost = ONE - equity / begun
    shown = desk.get(f"/accounts/{account}/drawdown")
    trade = desk.opened(account, "ETH", "0.35")
    found = desk.get(f"/accounts/{account}/trades/{trade['number']}/assessment")
    caps = {cap["name"]: Decimal(cap["quantity"]) for cap in found["caps"]}
    soft, hard = Decimal(rules["drawdown.soft_share"]), Decimal(rules["drawdown.hard_share"])
    expected = size_factor(lost, soft, hard, Decimal(rules["drawdown.smallest_factor"]))
    fee = Decimal(found["costs"]["entry_fee"])
    loss = loss_per_unit(ask, Decimal(trade["stop_price"]), fee, Decimal("0.0005"))
    whole = equity * Decimal(rules["risk.risk_share"]) / loss
    factor = caps["risk"] / whole
    holds = {
        "the loss is the one of the exchange's balances": near(
            Decimal(shown["daily_share"]), lost, TOLD
        ),
        "it lies between the soft and the hard level": soft < lost < hard,
        "no halt stands": not desk.halts(account),
        "what may be risked is smaller by the line between the levels": near(
            factor, expected, Decimal("0.02")
        )
        and factor < ONE,
        "the trade is smaller for it": found["binding"] == "risk"
        and Decimal(trade["quantity"]) < whole,
    }
    record = {"drawdown": shown, "lost": lost, "factor": factor, "expected_factor": expected}
    report.check(
        "soft drawdown: entries become smaller", holds, trade=trade, assessment=found, **record
    )


def _deposit(desk: Desk, report: Report) -> None:
    """Capital that comes in neither hides the loss nor counts as a gain."""
    account = "director-1"
    path = f"/accounts/{account}"
    before, equity = desk.get(f"{path}/drawdown"), desk.equity(account)
    status, answer = desk.post(
        f"{path}/capital", kind="deposit", amount=str(DEPOSIT), note="in the middle of a fall"
    )
    desk.until(
        lambda: Decimal(desk.get(f"{path}/drawdown")["flows"]) == DEPOSIT, "the deposit counts"
    )
    desk.rest()
    after, flows = desk.get(f"{path}/drawdown"), desk.get(f"{path}/capital")["flows"]
    booked = [row for row in desk.record(account)["ledger"] if row["kind"] == "deposit"]
    desk.deposits[account] = [(equity, Decimal(0)), (desk.equity(account), DEPOSIT)]
    holds = {
        "it is taken": status == 202,
        "the exchange booked it": any(Decimal(str(row["amount"])) == DEPOSIT for row in booked),
        "the account is worth that much more": near(
            desk.equity(account) - equity, DEPOSIT, Decimal("0.01")
        ),
        "the loss is the same": near(
            Decimal(before["daily_share"]), Decimal(after["daily_share"]), TOLD
        ),
        "it is capital": any(
            row["amount"] == row["value"] and Decimal(row["value"]) == DEPOSIT for row in flows
        ),
    }
    report.check(
        "a deposit hides no loss", holds, before=before, after=after, flows=flows, answer=answer
    )


def _hard(
    desk: Desk, report: Report, account: str, held: Mapping[str, Decimal], begun: Decimal
) -> None:
    """At the hard level entries stop; positions are closed, or kept with their stops."""
    closes = SETTINGS[account]["drawdown.positions"] == "close"
    limit = Decimal(SETTINGS[account]["drawdown.hard_share"])
    halts = desk.halts(account)
    if closes:
        done = lambda: not desk.get(f"/accounts/{account}/trades", open=True)  # noqa: E731
        desk.until(done, f"the trades of {account} are closed")
        desk.rest()
    audited = [e for e in desk.audited(account, "drawdown_halted") if e["details"]]
    details = audited[-1]["details"]
    bounds = _bounds(desk, account, held, begun)
    status, problem = desk.open(account, "SOL", "0.30", quantity="2")
    trades = desk.get(f"/accounts/{account}/trades")
    holds = {
        "the halt is the day's": [halt["kind"] for halt in halts] == ["daily_drawdown"],
        "the loss had reached the level": Decimal(details["lost"]) >= limit,
        "it was reached within this bar": bounds["least"] < limit <= bounds["most"],
        "the loss lies within what the bar's prices allow": Decimal(details["lost"])
        <= bounds["most"] + Decimal("0.001"),
        "an entry is refused": status == 409 and problem["type"].endswith(":daily-drawdown"),
        **(_closed(desk, account, trades) if closes else _kept(desk, account, trades)),
    }
    how = "positions are closed" if closes else "positions are kept protected"
    report.check(
        f"hard drawdown of {account}: entries stop, {how}",
        holds,
        halts=halts,
        audited=audited,
        bounds=bounds,
        refused=problem,
        trades=trades,
    )


def _bounds(
    desk: Desk, account: str, held: Mapping[str, Decimal], begun: Decimal
) -> dict[str, Decimal]:
    """Return the loss at the end of the bar before, and at all lows of this bar together.

    Of the account with what it held when the bar began; a deposit counts as capital.
    """
    flows = desk.deposits.get(account, [])
    growth, base = ONE, begun
    if flows:
        growth, base = flows[0][0] / begun, flows[1][0]
    coins = {asset: held.get(asset, Decimal(0)) for asset in ASSETS}
    lows = sum(q * desk.recording.low(asset, desk.now) for asset, q in coins.items())
    opened = sum(q * desk.recording.close(asset, desk.now - BAR) for asset, q in coins.items())
    cash = held.get("USD", Decimal(0))
    least, most = (ONE - growth * (cash + value) / base for value in (opened, lows))
    return {"least": least, "most": most}


def _closed(desk: Desk, account: str, trades: list[dict[str, Any]]) -> dict[str, bool]:
    left = {a: q for a, q in desk.held(account).items() if a in ASSETS and q}
    return {
        "every trade was closed for the drawdown": all(
            trade["phase"] == "settled" and trade["exit_reason"] == "drawdown" for trade in trades
        ),
        "the exchange says that nothing is held": not left,
        "no order is left there": not _live(desk, account),
    }


def _kept(desk: Desk, account: str, trades: list[dict[str, Any]]) -> dict[str, bool]:
    standing = [trade for trade in trades if trade["phase"] == "open"]
    covered = {asset: Decimal(0) for asset in ASSETS}
    for order in _live(desk, account):
        if order["side"] == "sell" and order["order_type"].startswith("stop-loss"):
            covered[order["symbol"].partition("/")[0]] += Decimal(str(order["quantity"]))
    held = desk.held(account)
    return {
        "trades stay open": bool(standing),
        "stops rest on the exchange over all that is held": all(
            covered[asset] == held.get(asset, Decimal(0)) for asset in ASSETS
        ),
    }


def _live(desk: Desk, account: str) -> list[dict[str, Any]]:
    return [o for o in desk.record(account)["orders"] if o["status"] not in FINAL]

"""The morning: three accounts with settings of their own; sizes, limits, approval and refusal."""

from decimal import Decimal

from tests.day.accounts import set_up, verified
from tests.day.desk import Desk
from tests.day.report import Report
from tests.day.rules import cash_per_unit, loss_per_unit, near

TOGETHER = {"BTC/USD", "ETH/USD", "SOL/USD"}
FAR, WIDE = "0.30", "0.10"
"""Stops this far below survive the day; the risk allowed then leaves the size to the limits."""


def play(desk: Desk, report: Report) -> None:
    """Set the accounts up, let the market make a history, then open."""
    set_up(desk, report)
    desk.go_to(desk.recording.at(hours=1))
    _risk_sized(desk, report)
    _approvals(desk, report)
    _limits(desk, report)
    _group(desk, report)
    for stop, asset in (("0.25", "BTC"), ("0.25", "SOL")):
        desk.opened("director-1", asset, stop)
    verified(desk, report, "after the openings")


def _risk_sized(desk: Desk, report: Report) -> None:
    """A near stop: what is lost there is the share of equity that the account risks."""
    account, equity = "company", desk.equity("company")
    ask = desk.figures("BTC")["ask"]
    trade = desk.opened(account, "BTC", "0.05")
    found = desk.get(f"/accounts/{account}/trades/{trade['number']}/assessment")
    fee = Decimal(found["costs"]["entry_fee"])
    caps = {cap["name"]: Decimal(cap["quantity"]) for cap in found["caps"]}
    stop = Decimal(trade["stop_price"])
    expected = equity * Decimal("0.005") / loss_per_unit(ask, stop, fee, Decimal("0.0005"))
    pair = equity * Decimal("0.25") / cash_per_unit(ask, fee)
    quantity = Decimal(trade["quantity"])
    fills = [f for f in desk.record(account)["fills"] if f["symbol"] == "BTC/USD"]
    bought = sum(Decimal(str(f["quantity"])) for f in fills if f["side"] == "buy")
    holds = {
        "the risk to the stop binds": found["binding"] == "risk",
        "its cap is half a percent of equity over the loss per unit": near(
            caps["risk"], expected, expected / 10**6
        ),
        "the pair's cap is a quarter of equity": near(caps["pair exposure"], pair, pair / 10**6),
        "the size is the smallest cap, down to the lot": (
            0 <= min(caps.values()) - quantity < Decimal("0.00000002")
        ),
        "the exchange sold just that": bought == quantity,
        "the trade names the settings it was decided under": trade["settings_version"] == 1,
    }
    report.check(
        "size: the risk to the stop binds",
        holds,
        equity=equity,
        ask=ask,
        expected={"risk": expected, "pair exposure": pair},
        assessment=found,
        trade=trade,
        exchange_bought=bought,
    )


def _approvals(desk: Desk, report: Report) -> None:
    """Two large trades wait for a second person: one is approved, one refused."""
    wider = {"risk.risk_share": WIDE, "risk.volatility_share": "0.2"}
    path = "/accounts/company/settings"
    desk.post(path, updates=wider, reason="room for large trades", confirm=True)
    equity, figures = desk.equity("company"), desk.figures("ETH")
    status, waiting = desk.open("company", "ETH", FAR)
    approval = waiting["approval"]
    before = desk.get(f"/approvals/{approval}")
    share = Decimal(before["value"]) / equity
    own, own_answer = desk.post(f"/approvals/{approval}/approve")
    decided, answer = desk.post(f"/approvals/{approval}/approve", who="second", reason="agreed")
    trade = desk.protected("company", answer["trade"])
    found = desk.get(f"/accounts/company/trades/{trade['number']}/assessment")
    after = desk.get(f"/approvals/{approval}")
    fee = Decimal(found["costs"]["entry_fee"])
    value = Decimal(trade["quantity"]) * cash_per_unit(figures["ask"], fee)
    holds = {
        "above fifteen percent of equity it waits": status == 202 and share > Decimal("0.15"),
        "it was no trade while it waited": before["status"] == "pending" and not before["trade"],
        "who asked may not approve": own == 403,
        "another person may": decided == 200 and after["status"] == "approved",
        "author and decider differ": after["decided_by"] != after["requested_by"],
        "it is a quarter of equity, the pair's limit": near(value, equity / 4, equity / 1000),
        "price and rules were judged again": all(check["passed"] for check in found["checks"]),
    }
    record = {"approval": after, "own": own_answer, "trade": trade, "assessment": found}
    report.check("approval: a large trade waits for a second person", holds, **record)
    _refusal(desk, report)


def _refusal(desk: Desk, report: Report) -> None:
    fills = len(desk.record("company")["fills"])
    _, waiting = desk.open("company", "SOL", FAR)
    approval = waiting["approval"]
    reason = "too much in one day"
    path = f"/approvals/{approval}"
    before = desk.get(path)
    status, answer = desk.post(f"{path}/refuse", who="second", reason=reason)
    desk.until(lambda: desk.get(path)["status"] != "pending", "the refusal is written")
    desk.rest()
    after = desk.get(f"/approvals/{approval}")
    trades = desk.get("/accounts/company/trades")
    holds = {
        "it waited": before["status"] == "pending",
        "it is refused by the second person": status == 200 and after["status"] == "refused",
        "the reason is kept": after["reason"] == reason,
        "no trade came of it": after["trade"] is None
        and all(trade["symbol"] != "SOL/USD" for trade in trades),
        "the exchange filled nothing": len(desk.record("company")["fills"]) == fills,
    }
    report.check(
        "refusal: a second person declines a large trade", holds, approval=after, answer=answer
    )


def _limits(desk: Desk, report: Report) -> None:
    """What a pair may hold, how many trades there may be, and how many entry orders in a day."""
    figures, equity = desk.figures("ETH"), desk.equity("company")
    quantity = (equity * Decimal("0.05") / figures["ask"]).quantize(Decimal("0.0001"))
    held = desk.held("company")["ETH"] * figures["last"]
    status, problem = desk.open("company", "ETH", FAR, quantity=str(quantity))
    pair = next((c for c in problem["checks"] if c["reason"].startswith("pair exposure")), None)
    fee = Decimal(desk.get("/accounts/company/trades/1/assessment")["costs"]["entry_fee"])
    added = quantity * cash_per_unit(figures["ask"], fee)
    holds = {
        "it is refused": status == 422 and problem["type"].endswith(":limit-exceeded"),
        "a quarter of equity is the limit": pair is not None
        and near(Decimal(pair["limit"]), equity / 4, equity / 10**4),
        "what is held and what would be added pass it": pair is not None
        and near(Decimal(pair["figure"]), held + added, equity / 500)
        and Decimal(pair["figure"]) > Decimal(pair["limit"]),
    }
    report.check("limits: the pair's", holds, problem=problem, held=held, added=added)
    desk.opened("company", "SOL", FAR, quantity="30")
    status, problem = desk.open("company", "SOL", FAR, quantity="5")
    failed = {check["code"] for check in problem["checks"]}
    trades = desk.get("/accounts/company/trades", open=True)
    holds = {
        "it is refused": status in (409, 422),
        "three trades are open": len(trades) == 3,
        "trades at once and orders in the window are named": failed
        == {"limit-exceeded", "order-rate-exceeded"},
    }
    numbers = [trade["number"] for trade in trades]
    report.check("limits: trades at once, entry orders", holds, problem=problem, trades=numbers)


def _group(desk: Desk, report: Report) -> None:
    """Pairs that move together share a limit: the third trade gets what two others left."""
    account = "director-2"
    first = [desk.opened(account, asset, "0.30") for asset in ("SOL", "ETH")]
    equity, ask = desk.equity(account), desk.figures("BTC")["ask"]
    held = sum(desk.held(account)[asset] * desk.figures(asset)["last"] for asset in ("SOL", "ETH"))
    groups = desk.get("/correlations")["groups"]
    trade = desk.opened(account, "BTC", "0.30")
    found = desk.get(f"/accounts/{account}/trades/{trade['number']}/assessment")
    fee = Decimal(found["costs"]["entry_fee"])
    grouped = any(set(group["symbols"]) >= TOGETHER for group in groups)
    # The bucket is larger, and binds where the history is too short to tell a group.
    limit, share = ("exposure of group", "0.50") if grouped else ("exposure of bucket", "0.60")
    left = equity * Decimal(share) - held
    caps = {cap["name"]: Decimal(cap["quantity"]) for cap in found["caps"]}
    cap = next((q for name, q in caps.items() if name.startswith(limit)), None)
    holds = {
        "the limit on all three binds": str(found["binding"]).startswith(limit),
        "it leaves its share of equity less what is held": cap is not None
        and near(cap * cash_per_unit(ask, fee), left, equity / 1000),
        "the trade is no larger": cap is not None and Decimal(trade["quantity"]) <= cap,
    }
    numbers = [t["number"] for t in first]
    record = {"groups": groups, "held": held, "left": left, "before": numbers, "trade": trade}
    report.check("limits: what moves together", holds, assessment=found, **record)

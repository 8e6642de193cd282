"""The hedge of one account: what it followed, what it moved, an override and its expiry."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.day.accounts import SETTINGS
from tests.day.desk import Desk
from tests.day.recording import ASSETS
from tests.day.report import Report
from tests.day.rules import hedge_target, near

ACCOUNT = "director-2"
SELL, BUY = "sell volatile assets", "buy volatile assets back"
BAND, LEAST, MOST = Decimal("0.05"), Decimal("0.10"), Decimal("0.90")
OVERRIDE, LASTS = Decimal("0.95"), timedelta(hours=1)
REASON = "a night without anybody watching"


def by_formula(desk: Desk, report: Report) -> None:
    """The fall raised the share in USD, the recovery lowered it, both by the documented formula."""
    reviews = _reviews(desk)
    moves = [r for r in reviews if r["move"]]
    sold = [r for r in moves if r["move"] == SELL and r["override_share"] is None]
    bought = [r for r in moves if r["move"] == BUY and r["override_share"] is None]
    record = desk.record(ACCOUNT)
    trades = desk.get(f"/accounts/{ACCOUNT}/trades")
    hedged = sum(Decimal(trade["hedge_sold"]) for trade in trades)
    at_exchange = sum(
        Decimal(str(fill["quantity"])) for fill in record["fills"] if fill["side"] == "sell"
    )
    up = {
        "targets rose with the fall": _rose(reviews),
        "each target is the formula's, moved only beyond the band": _follows(reviews),
        "parts of open trades were sold": bool(sold) and hedged > 0,
        "the exchange saw them": at_exchange >= hedged,
        "each sale is what was missing to the target": _is_worth(sold),
        "the share in USD rose": bool(sold)
        and Decimal(_after(reviews, sold[0])["actual"]) > Decimal(sold[0]["actual"]),
    }
    report.check("hedge up: the fall raises the share in USD", up, reviews=sold, sold=hedged)
    numbers = {number for review in bought for number in review["trades"]}
    back = [trade for trade in trades if trade["number"] in numbers]
    down = {
        "it came after the sales": bool(bought) and bought[-1]["at"] > sold[0]["at"],
        "each purchase is what was too much over the target": _is_worth(bought),
        "what was bought back is ordinary trades with stops": bool(back)
        and all(Decimal(t["bought"]) > 0 and Decimal(t["stop_price"]) > 0 for t in back),
        "no more was bought back than was sold": all(
            Decimal(units) >= 0 for units in reviews[-1]["lacking"].values()
        ),
    }
    report.check(
        "hedge down: the recovery lowers the share in USD", down, reviews=bought, trades=back
    )


def by_hand(desk: Desk, report: Report) -> datetime:
    """Set the share by hand for an hour of market time; entries are held to it."""
    status, answer = desk.post(
        f"/accounts/{ACCOUNT}/hedge/override",
        share=str(OVERRIDE),
        reason=REASON,
        expires_after_seconds=int(LASTS.total_seconds()),
    )

    def reached() -> bool:
        return near(_usd_share(desk), OVERRIDE, Decimal("0.03"))

    desk.until(reached, "the account holds what the override says")
    desk.rest()
    review = next(r for r in reversed(_reviews(desk)) if r["override_share"] is not None)
    refused, problem = desk.open(ACCOUNT, "SOL", "0.2", quantity="100")
    expires = datetime.fromisoformat(review["override_expires_at"])
    holds = {
        "it is taken": status == 202,
        "share, author and reason are recorded": Decimal(review["override_share"]) == OVERRIDE
        and review["override_reason"] == REASON
        and bool(review["override_author"]),
        "it expires an hour of market time later": abs(expires - desk.now - LASTS)
        < timedelta(minutes=15),
        "the account holds the share in USD, says the exchange": reached(),
        "an entry beyond it is refused": refused == 422
        and any(check["code"] == "hedge-exceeded" for check in problem["checks"]),
        "it is audited": bool(desk.audited(ACCOUNT, "hedge_overridden")),
    }
    share = _usd_share(desk)
    report.check(
        "override: a share set by hand", holds, review=review, refused=problem, share=share,
        answer=answer,
    )  # fmt: skip
    return expires


def expired(desk: Desk, report: Report, expires: datetime) -> None:
    """After the expiry the formula decides again."""
    ended = desk.audited(ACCOUNT, "hedge_override_expired")
    reviews = _reviews(desk)
    during = [r for r in reviews if r["override_share"] is not None]
    after = [r for r in reviews if datetime.fromisoformat(r["at"]) >= expires]
    bought = [r for r in after if r["move"] == BUY]
    view = desk.get(f"/accounts/{ACCOUNT}/hedge")
    holds = {
        "its end is audited once": len(ended) == 1,
        "no review after the expiry knows it": bool(after)
        and all(r["override_share"] is None for r in after),
        "it stood until then": max(datetime.fromisoformat(r["at"]) for r in during) < expires,
        "the formula decides again": view["state"] == "automatic" and _follows(reviews),
        "what was sold by hand is bought back": bool(bought) and _is_worth(bought),
        "the share in USD fell": _usd_share(desk) < OVERRIDE - BAND,
    }
    report.check(
        "override: its expiry gives the hedge back to the formula", holds,
        audited=ended, reviews=after, share=_usd_share(desk), expires=expires,
    )  # fmt: skip


def _usd_share(desk: Desk) -> Decimal:
    held = desk.held(ACCOUNT)
    volatile = sum(
        held.get(asset, Decimal(0)) * desk.recording.close(asset, desk.now) for asset in ASSETS
    )
    return held["USD"] / (held["USD"] + volatile)


def _reviews(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get(f"/accounts/{ACCOUNT}/hedge/history", limit=500)
    return found[::-1]


def _follows(reviews: list[dict[str, Any]]) -> bool:
    """Tell whether each target in turn is the formula's, or the last one within the band."""
    rules = {
        name.removeprefix("hedge."): Decimal(value)
        for name, value in SETTINGS[ACCOUNT].items()
        if name
        in (
            "hedge.volatility_low",
            "hedge.volatility_high",
            "hedge.drawdown_low",
            "hedge.drawdown_high",
        )
    } | {"ratio_minimum": LEAST, "ratio_maximum": MOST}
    last = None
    for review in reviews:
        if review["automatic_target"] is None or review["volatility"] is None:
            continue
        target = Decimal(review["automatic_target"])
        asked = hedge_target(rules, Decimal(review["volatility"]), Decimal(review["drawdown"]))
        kept = last is not None and abs(asked - last) <= BAND
        if not near(target, last if kept and last is not None else asked, Decimal("1e-9")):
            return False
        last = target
    return last is not None


def _rose(reviews: list[dict[str, Any]]) -> bool:
    targets = [Decimal(r["automatic_target"]) for r in reviews if r["automatic_target"]]
    return max(targets) > targets[0] + BAND


def _is_worth(moves: list[dict[str, Any]]) -> bool:
    return all(
        near(
            abs(Decimal(r["target"]) - Decimal(r["actual"])) * Decimal(r["equity"]),
            Decimal(r["value"]),
            Decimal("0.01"),
        )
        for r in moves
    )


def _after(reviews: list[dict[str, Any]], review: dict[str, Any]) -> dict[str, Any]:
    later = [r for r in reviews if r["decided_at"] > review["decided_at"]]
    return later[0] if later else review

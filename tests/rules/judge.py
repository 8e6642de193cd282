"""What must hold of a replay, and its figures."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from models.trading.account.equity import equity_now, holdings
from models.trading.account.facts import EnterTrade
from models.trading.trade.figures import STRATEGY_SOURCE, figures
from models.trading.trade.slippage import slippages, total
from tests.rules.desk import ACCOUNT
from tests.rules.seen import CASH
from tests.rules.world import World

ZERO = Decimal(0)
UNPROVEN, EVIDENCE = "unproven", "evidence"


def report(world: World, days: Decimal) -> dict[str, Any]:
    """Return the figures of a replay; shares are of the equity that it began with."""
    seen, account = world.seen, world.account
    settled = [figures(trade) for trade in seen.settled]
    fees = sum((one.fees for one in settled), ZERO)
    fees += sum((trade.fees for trade in world.trades.values()), ZERO)
    equity = equity_now(account) or ZERO
    slipped = total([one for trade in seen.settled for one in slippages(trade)])
    return {
        "days": float(round(days, 1)),
        "ideas": seen.ideas,
        "entries": len(seen.entries),
        "entries_by_basis": _counted(_basis(entry) or "absent" for entry in seen.entries),
        "refused_by_code": dict(seen.refused.most_common()),
        "trades_settled": len(settled),
        "trades_open": len(world.trades),
        "trades_won": sum(one.net_profit > ZERO for one in settled),
        "profit_share": _share(equity - CASH),
        "gross_profit_share": _share(sum((one.gross_profit for one in settled), ZERO)),
        "fees_share": _share(fees),
        "slippage_share": _share(slipped.usd),
        "slippage_basis_points": str(slipped.basis_points),
        "executions_without_decision_price": slipped.unmeasured,
        "hedge_turnover_share": _share(account.hedge_book.turnover),
        "hedge_fees_share": _share(account.hedge_book.fees),
        "hedge_target_changes": seen.hedge_targets,
        "halts_by_kind": dict(sorted(seen.halts.items())),
        "halts_first_at": {k: at.isoformat() for k, at in sorted(seen.first_halts.items())},
        "longest_unmeasured_seconds": seen.longest_unmeasured.total_seconds(),
        "unmeasured_seconds": seen.unmeasured.total_seconds(),
        "lowest_equity": str(seen.lowest_equity.quantize(Decimal("0.01"))),
        "highest_equity": str(seen.highest_equity.quantize(Decimal("0.01"))),
        "closing_equity": str(equity.quantize(Decimal("0.01"))),
    }


def checks(world: World) -> dict[str, list[str]]:
    """Return what does not hold, by the rule that it breaks."""
    entries = world.seen.entries
    return {
        "no entry without a verdict that allows it": [
            entry.plan.source for entry in entries if not entry.verdict.allowed
        ],
        "no entry that its own evidence says loses, unless marked unproven": [
            wrong for entry in entries if (wrong := wrong_evidence(entry))
        ],
        "the account's books are those of the exchange": _books(world),
    }


def wrong_evidence(entry: EnterTrade) -> str:
    """Return what is wrong with what an entry of a strategy rests on, empty where nothing is.

    An entry says on what it rests (``plan.basis``). On evidence: the expectation that the evidence
    lets one have is above zero and not below what the costs call for. On nothing: it is marked
    ``unproven`` in its verdict. An entry that says neither is wrong.
    """
    plan = entry.plan
    if not plan.source.startswith(STRATEGY_SOURCE):
        return ""
    basis = _basis(entry)
    worth = [check for check in entry.verdict.checks if check.rule == "R-6"]
    if basis == UNPROVEN:
        marked = any(check.code == UNPROVEN and check.passed for check in worth)
        return "" if marked else f"trade {plan.number}: unproven and not marked so"
    if basis != EVIDENCE:
        return f"trade {plan.number}: says not on what it rests ({basis})"
    proven = any(
        check.figure is not None
        and check.limit is not None
        and check.figure > ZERO
        and check.figure >= check.limit
        for check in worth
    )
    return "" if proven else f"trade {plan.number}: its evidence does not carry its costs"


def _basis(entry: EnterTrade) -> str | None:
    basis = getattr(entry.plan, "basis", None)
    return None if basis is None else str(basis.value)


def _books(world: World) -> list[str]:
    own = {asset: total for asset, total in holdings(world.account).items() if total}
    theirs = {
        asset: balance.total
        for asset, balance in world.desk.venue.balances(ACCOUNT).items()
        if balance.total
    }
    return [
        f"{asset}: {own.get(asset, ZERO)} here, {theirs.get(asset, ZERO)} at the exchange"
        for asset in sorted({*own, *theirs})
        if abs(own.get(asset, ZERO) - theirs.get(asset, ZERO)) > Decimal("0.01")
    ]


def _counted(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))


def _share(amount: Decimal) -> float:
    return round(float(amount / CASH), 6)

"""The overview: every account's figures at the last prices, beside their limits."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import func
from sqlmodel import col, select

from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from api.degraded import all_degraded_modes
from api.messages.control_room import AccountFigures, Bounded, ControlRoom, HedgeFigures
from api.messages.overview import MarketFigures, MarketLine, Process
from api.queries import accounts, capital
from api.queries.accounts import Snapshots
from api.queries.watched import silent_workflows
from api.routes.platform.status import probe, targets
from api.services import Services
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.names import account_workflow_id
from models.tables import ApprovalRow
from models.tables.accounts.hedges import HedgeReviewRow
from models.tables.trades.trades import TradeRow
from models.trading.account.settings.in_force import rules_of_account
from models.trading.governance.approval import ApprovalStatus

ZERO = Decimal(0)
NO_PRICE = "no price for {assets}"
NOT_MEASURED = "nothing was measured yet"


@dataclass(frozen=True, slots=True)
class Health:
    """What other processes say: workflows that do not answer, readiness, degraded modes."""

    silent: dict[str, str]
    processes: list[Process]
    degraded_modes: list[str]


async def read_health(services: Services) -> Health:
    """Ask every process."""
    silent, probes, modes = await asyncio.gather(
        silent_workflows(services),
        asyncio.gather(*(probe(services, *target) for target in targets(services))),
        all_degraded_modes(services),
    )
    return Health(silent, [Process(name="api", ready=True, detail="ok"), *probes], modes)


async def control_room(
    services: Services, health: Health, names: Sequence[str] | None = None
) -> ControlRoom:
    """Return everything the first page shows, of these accounts; without any, of all."""
    market = await accounts.snapshots(services.database)
    names = await services.database.accounts() if names is None else names
    silent = health.silent
    figures = [await account_figures(services, name, market, silent) for name in names]
    switches = await services.journal.kill_switches(only_engaged=True)
    return ControlRoom(
        as_of=datetime.now(UTC),
        accounts=figures,
        market=market_line(services, market),
        market_followed=services.market_followed,
        prices_unknown=prices_unknown(services, market),
        processes=health.processes,
        degraded_modes=health.degraded_modes,
        waiting_approvals=await _waiting(services, [*names, PLATFORM_SCOPE]),
        kill_switches=[row.number for row in switches],
    )


def market_line(services: Services, market: Snapshots) -> MarketLine:
    """Return the last prices; all of them are stale while nobody follows the market."""
    figures = [MarketFigures.model_validate(market[symbol]) for symbol in sorted(market)]
    if not services.market_followed:
        figures = [line.model_copy(update={"stale": True}) for line in figures]
    return MarketLine(
        source=services.settings.market,
        speed=services.settings.market_speed,
        market_time=capital.market_time(market),
        symbols=figures,
    )


def prices_unknown(services: Services, market: Snapshots) -> str | None:
    """Say why no figure that rests on prices can be believed, None when they can."""
    if not services.market_followed:
        return "the market worker does not answer: prices stand still"
    if not market:
        return "no price has been seen yet"
    stale = sorted(symbol for symbol, row in market.items() if row.stale)
    return f"stale prices: {', '.join(stale)}" if stale else None


async def account_figures(
    services: Services, name: str, market: Snapshots, silent: dict[str, str]
) -> AccountFigures:
    """Return one account's figures beside its limits."""
    database = services.database
    view = await accounts.account_view(database, name, market)
    rules = rules_of_account(await SettingsJournal(database).settings_in_force(name))
    down = await capital.drawdown(database, name, market)
    worth = accounts.marked(view.balances, market, rules.exit_fee_share)
    equity = worth.value
    unpriced = NO_PRICE.format(assets=", ".join(view.unpriced)) if equity is None else None
    not_running = silent.get(account_workflow_id(name))
    async with database.account_scope(name) as session:
        newest = select(HedgeReviewRow).order_by(col(HedgeReviewRow.at).desc()).limit(1)
        review = (await session.exec(newest)).first()
        bare = select(func.count(), func.min(col(TradeRow.unprotected_since))).where(
            col(TradeRow.unprotected_since).is_not(None), TradeRow.phase != accounts.SETTLED
        )
        unprotected, since = (await session.exec(bare)).one()
    share = (equity - view.cash) / equity if equity else None
    no_drawdown = unpriced or (NOT_MEASURED if down is None else None)
    return AccountFigures(
        account=name,
        kind=view.kind,
        mode=view.mode,
        state=not_running or view.state,
        why=not_running or "; ".join(halt.reason for halt in view.halts) or None,
        halts=view.halts,
        equity=equity,
        unknown=unpriced,
        not_counted=[] if unpriced else view.unpriced,
        cash=view.cash,
        day_share=view.day_pnl_share,
        day=_bounded(
            None if no_drawdown or down is None else down.daily_share,
            rules.drawdown.hard_share,
            no_drawdown,
        ),
        total=_bounded(
            None if no_drawdown or down is None else down.total_share,
            rules.drawdown.total_share,
            no_drawdown,
        ),
        exposure=_bounded(share, rules.portfolio.gross_share, unpriced or "nothing is held"),
        hedge=_hedge(review),
        open_trades=view.open_trades,
        trades_maximum=rules.portfolio.trades_maximum,
        unprotected=unprotected,
        unprotected_since=since,
        day_zone=rules.day.zone_name,
        day_starts_at=rules.day.starts_at.strftime("%H:%M"),
    )


def _bounded(value: Decimal | None, limit: Decimal, unknown: str | None) -> Bounded:
    return Bounded(value=value, limit=limit, unknown=unknown if value is None else None)


def _hedge(review: HedgeReviewRow | None) -> HedgeFigures:
    if review is None:
        return HedgeFigures(state="off", ratio=None, target=None, as_of=None)
    state = "automatic" if review.override_share is None else "override"
    return HedgeFigures(
        state="off" if review.target is None else state,
        ratio=review.actual,
        target=review.target,
        as_of=review.decided_at,
    )


async def _waiting(services: Services, scopes: list[str]) -> int:
    total = 0
    query = (
        select(func.count())
        .select_from(ApprovalRow)
        .where(ApprovalRow.status == ApprovalStatus.PENDING.value)
    )
    for scope in scopes:
        async with services.database.account_scope(scope) as session:
            total += (await session.exec(query)).one()
    return total

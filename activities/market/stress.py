"""Putting an account's portfolio, as the record has it, through shocks."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from temporalio import activity

from activities.execution.order_submission import Clock
from activities.failures import typed_failures
from activities.ports.rules import (
    CorrelationRecord,
    Holdings,
    StressRecord,
    StressRun,
    UniverseRecord,
)
from models.contracts.stress import StressDone, StressRequest
from models.trading.capital.valuation import value_holdings
from models.trading.market import MarketSnapshot
from models.trading.risk.assets import is_off_peg
from models.trading.risk.portfolio import UNGROUPED
from models.trading.risk.stress import StressPortfolio, StressPosition, apply_shocks
from models.trading.risk.stress_scenarios import HISTORICAL
from models.trading.settings.reading import AccountRules, PlatformRules
from models.trading.universe.compliance import ComplianceRules

ZERO = Decimal(0)


class StressActivities:
    """Run stress tests over ports; a run that was written is not written again."""

    def __init__(
        self,
        record: StressRecord,
        universe: UniverseRecord,
        correlations: CorrelationRecord,
        account_rules: Callable[[str], Awaitable[AccountRules]],
        platform_rules: Callable[[], Awaitable[PlatformRules]],
        clock: Clock,
    ) -> None:
        self._record = record
        self._universe = universe
        self._correlations = correlations
        self._account_rules = account_rules
        self._platform_rules = platform_rules
        self._clock = clock

    @activity.defn
    async def stress_account(self, request: StressRequest) -> StressDone:
        """Apply every shock to what the account holds now and write the outcome."""
        with typed_failures():
            rules = await self._account_rules(request.account)
            compliance = (await self._platform_rules()).compliance
            universe = await self._universe.current()
            buckets = {} if universe is None else universe.buckets
            _, groups = await self._correlations.current_groups()
            holdings = await self._record.holdings(request.account)
            market = await self._record.snapshots()
            portfolio, unpriced = portfolio_of(holdings, market, dict(groups), buckets, compliance)
            shocks = (*(HISTORICAL if request.historical else ()), *request.shocks)
            results = apply_shocks(portfolio, shocks, rules.drawdown, rules.portfolio)
            seen = [snapshot.observed_at for snapshot in market.values()]
            run = StressRun(
                request,
                self._clock(),
                max(seen, default=None),
                portfolio.equity,
                unpriced,
                shocks,
                results,
            )
            await self._record.save_stress(run)
        worst = max((result.loss for result in results), default=ZERO)
        return StressDone(request.run_id, worst, sum(len(r.breaches) for r in results))


def portfolio_of(
    holdings: Holdings,
    market: dict[str, MarketSnapshot],
    groups: dict[str, str],
    buckets: dict[str, str],
    compliance: ComplianceRules,
) -> tuple[StressPortfolio, tuple[str, ...]]:
    """Return holdings at the last prices, and the assets that no price is known of."""
    totals: dict[str, Decimal] = {}
    for held in holdings.held:
        totals[held.asset] = totals.get(held.asset, ZERO) + held.quantity
    worth = value_holdings(totals, {s: seen.bid for s, seen in market.items()}, market.keys())
    unpriced = worth.without_price
    positions = []
    for held in holdings.held:
        symbol = f"{held.asset}/USD"
        if held.asset in unpriced or symbol not in market:
            continue
        snapshot = market[symbol]
        stable = held.asset in compliance.stablecoins
        on_peg = stable and not is_off_peg(snapshot.mid, compliance.peg_tolerance)
        positions.append(
            StressPosition(
                symbol=symbol,
                asset=held.asset,
                quantity=held.quantity,
                price=snapshot.bid,
                group=groups.get(symbol, UNGROUPED),
                bucket=buckets.get(symbol, UNGROUPED),
                stop_price=held.stop_price,
                is_stablecoin=on_peg,
                is_cash=on_peg,
            )
        )
    portfolio = StressPortfolio(
        holdings.cash, tuple(positions), holdings.daily_share, holdings.total_share
    )
    return portfolio, unpriced

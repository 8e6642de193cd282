"""What stress runs read and write in the record (``rules_ports.StressRecord``)."""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.ports.rules import Holding, Holdings, StressRun
from infra.runtime.database.connections import Database
from models.tables import BalanceRow, MarketSnapshotRow, StressRow, TradeRow
from models.tables.rules_documents import results_document, shocks_document
from models.trading.market import MarketSnapshot
from models.trading.trade.state import TradePhase

ZERO = Decimal(0)


class PostgresStressRecord:
    """Needs a Database of the role ``aether_app``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holdings(self, account: str) -> Holdings:
        """Return USD and the assets, split into what the stops of trades cover and the rest."""
        open_trades = select(TradeRow).where(TradeRow.phase != TradePhase.SETTLED.value)
        async with self._database.account_scope(account) as session:
            balances = {row.asset: row.total for row in await session.exec(select(BalanceRow))}
            trades = list(await session.exec(open_trades))
        covered: dict[str, Decimal] = defaultdict(lambda: ZERO)
        held = []
        for trade in trades:
            asset = trade.symbol.partition("/")[0]
            quantity = min(trade.protected_quantity, trade.bought - trade.sold)
            if quantity > ZERO:
                covered[asset] += quantity
                held.append(Holding(asset, quantity, trade.stop_price))
        for asset, total in sorted(balances.items()):
            if asset != "USD" and total > covered[asset]:
                held.append(Holding(asset, total - covered[asset]))
        return Holdings(balances.get("USD", ZERO), tuple(held))

    async def snapshots(self) -> dict[str, MarketSnapshot]:
        """Return the latest figures of every symbol."""
        async with self._database.no_scope() as session:
            return {r.symbol: r.snapshot() for r in await session.exec(select(MarketSnapshotRow))}

    async def save_stress(self, run: StressRun) -> None:
        """Write a run, audited; one that was written stays."""
        request, results = run.request, run.results
        worst = max((result.loss for result in results), default=ZERO)
        breaches = sum(len(result.breaches) for result in results)
        values = {
            "account_id": request.account,
            "run_id": request.run_id,
            "requested_by": request.by,
            "at": run.at,
            "market_time": run.market_time,
            "equity": run.equity,
            "worst_loss": worst,
            "breaches": breaches,
            "unpriced": list(run.unpriced),
            "shocks": shocks_document(run.shocks),
            "results": results_document(results),
        }
        new = insert(StressRow).values(values).on_conflict_do_nothing()
        async with self._database.account_scope(request.account) as session:
            if (await session.exec(new.returning(col(StressRow.run_id)))).first() is None:
                return
            details = {
                "run": request.run_id,
                "worst_loss": f"{worst:f}",
                "breaches": str(breaches),
            }
            await audit.append(session, request.account, request.by, "stress_run", details)

"""The two records that `aether verify` compares: the exchange's own and ours."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
from sqlmodel import col, select

from activities.accounts.compared_records import (
    ExchangeOrder,
    ExchangeRecord,
    Minimum,
    OwnOrder,
    OwnRecord,
)
from activities.adapters.kraken.symbols import SymbolTable, v2_symbol
from activities.execution.timeouts import order_timeouts
from infra.runtime.control_token import control_headers
from infra.runtime.database.connections import (
    Database,
    DatabaseUnavailableError,
    Role,
    database_url,
)
from infra.runtime.errors import NotRunningError
from infra.runtime.settings import Settings
from models.tables import BalanceRow, FillRow, OrderRow, TradeRow
from models.trading.orders import Fill, OrderStatus, Side
from models.trading.trade.state import TradePhase

ZERO = Decimal(0)
_WALLETS = SymbolTable({}, {})
"""The record names wallets by v2 names; a balance counts as our books count it."""


@asynccontextmanager
async def database_of(
    settings: Settings, application: str, role: Role = Role.READER
) -> AsyncIterator[Database]:
    """Lend the installation's database, to be read unless another role is asked for.

    Raises:
        NotRunningError: it does not answer.
    """
    database = Database(database_url(settings, role), application=application)
    try:
        yield database
    except DatabaseUnavailableError as error:
        words = str(error).split()
        raise NotRunningError(f"the database does not answer: {' '.join(words)}") from None
    finally:
        await database.close()


class ExchangeReader:
    """Reads the simulator's own record, which no product table can influence."""

    def __init__(self, settings: Settings) -> None:
        # Plain HTTP on loopback: no proxy, and no certificates to load.
        self._client = httpx.AsyncClient(
            base_url=settings.exchange_url,
            headers=control_headers(settings),
            timeout=10,
            trust_env=False,
            verify=False,  # noqa: S501
        )

    async def minimums(self) -> dict[str, Minimum]:
        """Return the smallest order by symbol."""
        answer = await self._get("/0/public/AssetPairs")
        return {
            v2_symbol(pair["wsname"]): Minimum(Decimal(pair["ordermin"]), Decimal(pair["costmin"]))
            for pair in answer["result"].values()
        }

    async def proof_seconds(self) -> float:
        """Return how long a sent order may be in doubt at this exchange's pace."""
        state = await self._get("/control/state")
        return order_timeouts(lockstep=state["speed"] == "lockstep").proof_seconds

    async def record(self, account: str) -> ExchangeRecord:
        """Return all orders, fills and balances of an account, and what its ledger adds up to."""
        answer = await self._get("/control/record", account=account)
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for entry in answer["ledger"]:
            sums[_WALLETS.wallet(entry["asset"]).counted_as] += Decimal(entry["amount"]) - Decimal(
                entry["fee"]
            )
        totals: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for asset, balance in answer["balances"].items():
            totals[_WALLETS.wallet(asset).counted_as] += Decimal(balance["total"])
        return ExchangeRecord(
            orders=tuple(_order(order) for order in answer["orders"]),
            fills=tuple(_fill(fill) for fill in answer["fills"]),
            balances=dict(totals),
            ledger_sums=dict(sums),
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _get(self, path: str, **parameters: str) -> Any:
        try:
            response = await self._client.get(path, params=parameters)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise NotRunningError(
                f"the exchange does not answer ({type(error).__name__}): nothing to compare with"
            ) from None
        return response.json()


class OwnReader:
    """Reads our record of an account, in its scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, account: str) -> OwnRecord:
        """Return our orders, fills and balances."""
        async with self._database.account_scope(account) as session:
            orders = (await session.exec(select(OrderRow))).all()
            fills = (await session.exec(select(FillRow))).all()
            balances = (await session.exec(select(BalanceRow))).all()
            over = col(TradeRow.phase) == TradePhase.SETTLED.value
            settled = (await session.exec(select(TradeRow.number).where(over))).all()
        return OwnRecord(
            orders=tuple(_own_order(row, datetime.now(UTC)) for row in orders),
            fills={row.execution_id: row.fill() for row in fills},
            balances={row.asset: row.total for row in balances},
            settled=frozenset(settled),
        )

    async def unprotected_since(self, account: str) -> dict[int, datetime]:
        """Return since when trades have been without full protection (protocol time)."""
        query = select(TradeRow).where(col(TradeRow.unprotected_since).is_not(None))
        async with self._database.account_scope(account) as session:
            rows = (await session.exec(query)).all()
        return {row.number: row.unprotected_since for row in rows if row.unprotected_since}


def _own_order(row: OrderRow, now: datetime) -> OwnOrder:
    return OwnOrder(
        client_order_id=row.client_order_id,
        trade=row.trade,
        order_id=row.order_id,
        status=OrderStatus(row.status),
        userref=row.userref,
        sends=row.sends,
        attached=row.spec.get("close") is not None,
        age_seconds=(now - (row.sent_at or row.intended_at)).total_seconds(),
    )


def _order(order: dict[str, Any]) -> ExchangeOrder:
    return ExchangeOrder(
        order_id=order["order_id"],
        client_order_id=order["client_order_id"],
        userref=order["userref"],
        parent_order_id=order["parent_order_id"],
        symbol=order["symbol"],
        side=Side(order["side"]),
        order_type=order["order_type"],
        status=OrderStatus(order["status"]),
        quantity=Decimal(order["quantity"]),
        filled_quantity=Decimal(order["filled_quantity"]),
    )


def _fill(fill: dict[str, Any]) -> Fill:
    figures = {name: Decimal(fill[name]) for name in ("quantity", "price", "cost", "fee")}
    return Fill(
        execution_id=fill["execution_id"],
        order_id=fill["order_id"],
        symbol=fill["symbol"],
        side=Side(fill["side"]),
        exchange_time=datetime.fromisoformat(fill["exchange_time"]),
        maker=fill["maker"],
        **figures,
    )

"""The API over a real record and real workflows; only the exchange is a fake."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy import text
from temporalio.client import Client

from activities.adapters.people.sealing import Sealing
from activities.adapters.postgres.accounts.hedge_market import PostgresHedgeMarket
from activities.adapters.postgres.governance.platform_record import PostgresPlatform
from activities.adapters.postgres.installation import create_account, create_token, installation_id
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from activities.adapters.postgres.orders.protection_waiting import read_waiting
from activities.adapters.postgres.requests import PostgresRequests
from activities.execution.protection_load import ProtectionLoad
from activities.governance.platform import PlatformActivities
from api.app import create_app
from api.http.admission import EntryAdmission
from api.services import CodecSessions, Identity, Services
from infra.runtime.database.connections import Database, Role
from infra.runtime.settings import Settings
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import EncryptionCodec, PayloadKey
from infra.runtime.traces.sending import Traces
from infra.runtime.traces.traced_steps import TracedSteps
from models.contracts.hedges import HedgeInput
from models.contracts.names import (
    TRADING_QUEUE,
    account_workflow_id,
    hedge_workflow_id,
    stream_workflow_id,
)
from models.contracts.workflows import AccountInput, AccountToFollow
from models.trading.account.state import AccountState
from models.trading.market import MarketSnapshot
from tests.support.books import a_book
from tests.support.fakes import BITCOIN, FakeExchange
from tests.support.free_ports import free_block
from tests.support.live_keys import LiveKeys
from tests.support.postgres import PostgresServer
from tests.support.stories import ANY_SIZE, LIMITS, TASK_TIMEOUT, told_now
from tests.support.temporal import NAMESPACE, World, access, eventually
from workers.assembly import carried_out_by
from workers.upkeep.account_workflows import start_platform

PORT_BASE = free_block()
"""Test processes run side by side, each beside a platform of its own."""
OTHER_PORT_BASE = free_block()
"""For tests that serve another platform: the shared one may be served at the first for long."""
PRICE = Decimal(50000)


def loopback(
    app: FastAPI, token: str | None = None, port_base: int = PORT_BASE, **options: Any
) -> httpx.AsyncClient:
    """Return a client that calls an application in this process."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, **options),
        base_url=f"http://127.0.0.1:{port_base}",
        headers=headers,
    )


def a_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


@dataclass
class Platform:
    """An application, who may call it, and what stands behind it.

    What the API may not write is written as the workers or the machine's administrator do.
    """

    app: FastAPI
    services: Services
    workers: Database
    admin: Database
    token: str
    caller: httpx.AsyncClient
    stranger: httpx.AsyncClient
    market: PostgresMarketRecord
    world: World | None = None
    installation: str = ""
    accounts: list[str] = field(default_factory=list)
    live_keys: LiveKeys = field(default_factory=LiveKeys)

    @property
    def records(self) -> PostgresJournal:
        """Return the record as the workers write it."""
        return PostgresJournal(self.workers)

    async def add_account(self) -> str:
        """Set an account up in the record; nothing runs for it."""
        account = f"account-{uuid4().hex[:8]}"
        state = AccountState(
            account, self.installation, limits=LIMITS, strategies=("demonstration",)
        )
        await create_account(self.admin, state, "director", datetime.now(UTC))
        self.accounts.append(account)
        return account

    async def end_live(self) -> None:
        """Let no account trade live any more: with one, platform settings take a person."""
        for account in self.accounts:
            async with self.workers.account_scope(account) as session:
                await session.sql(text("UPDATE accounts SET mode = 'simulated'"))

    async def start_account(self, account: str, **changed: Any) -> FakeExchange:
        """Run an account's workflows over an exchange of its own; return when it trades."""
        exchange = self.world.directory.exchanges[account] = FakeExchange(PRICE)
        states = {s.account: s for s in await self.services.journal.accounts()}
        follow = AccountToFollow(account, (BITCOIN.symbol,))
        usual: dict[str, Any] = {"figure_times": told_now(), "approval": ANY_SIZE}
        given = {
            account_workflow_id(account): (
                "AccountWorkflow",
                AccountInput(replace(states[account], **{**usual, **changed})),
            ),
            stream_workflow_id(account): ("AccountStreamWorkflow", follow),
            hedge_workflow_id(account): ("HedgeWorkflow", HedgeInput(account)),
        }
        for workflow_id, (name, start) in given.items():
            await self.services.client.start_workflow(
                name, start, id=workflow_id, task_queue=TRADING_QUEUE, task_timeout=TASK_TIMEOUT
            )

        async def trades() -> bool:
            view = (await self.caller.get(f"/api/v1/accounts/{account}")).json()
            return view["state"] == "trading" and "USD" in view["balances"]

        await eventually(trades, f"{account} trades")
        return exchange

    async def set_market(self, price: Decimal = PRICE, **changed: Any) -> None:
        """Write what the market worker would have seen last."""
        now = datetime.now(UTC)
        figures = {"bid": price - 1, "ask": price + 1, "last": price, "measured_at": now}
        figures |= {"average_true_range": price / 1000, "volatility": Decimal("0.001")}
        figures |= {"daily_volatility": Decimal("0.01")}
        book = {"book": a_book(figures["bid"], figures["ask"]), "book_at": now}
        seen = MarketSnapshot(
            **({"symbol": BITCOIN.symbol, "observed_at": now} | figures | book | changed)
        )
        await self.market.save_snapshots([seen])

    async def books(self, account: str) -> tuple[Any, ...]:
        """Return what an account has in the record and at its exchange."""
        async with self.services.database.account_scope(account) as session:
            tables = [
                (await session.sql(text(f"SELECT t.*::text FROM {name} t ORDER BY 1"))).all()
                for name in ("trades", "orders", "fills")
            ]
        exchange = self.world.directory.exchanges.get(account) if self.world else None
        sent = None if exchange is None else (list(exchange.submits), dict(exchange.totals))
        return (*tables, sent)

    async def audited_all(self, scope: str) -> list[dict[str, Any]]:
        answer = await self.caller.get(f"/api/v1/audit/{scope}", params={"limit": 500})
        return answer.json()

    async def audited(self, scope: str, action: str) -> list[dict[str, Any]]:
        answer = await self.caller.get(f"/api/v1/audit/{scope}", params={"action": action})
        return answer.json()


@asynccontextmanager
async def running_platform(
    postgres: PostgresServer,
    database_name: str,
    client: Client | None,
    port_base: int = PORT_BASE,
    traces: Traces | None = None,
    **services: Any,
) -> AsyncIterator[Platform]:
    """Run the application; with a client the trading worker runs too."""
    database = Database(postgres.url(Role.API, database_name))
    workers = Database(postgres.url(Role.APP, database_name))
    admin = Database(postgres.url(Role.ADMIN, database_name))
    market = Database(postgres.url(Role.MARKET, database_name))
    token = await create_token(admin, uuid4().hex[:8], "administrator", datetime.now(UTC))
    composed = Services(
        settings=Settings(port_base=port_base, market="generated", speed=""),
        database=database,
        journal=PostgresJournal(database),
        requests=PostgresRequests(database),
        codec=EncryptionCodec([PayloadKey("k", bytes(range(32)))]),
        degraded_modes=["a degraded mode"],
        codec_sessions=CodecSessions(3600),
        admission=EntryAdmission(ProtectionLoad(lambda: read_waiting(database))),
        identity=Identity(database, Sealing([("k", bytes(range(32)))])),
        client=client,
        **services,
    )
    app = create_app(composed, traces=traces)
    callers = loopback(app, token, port_base), loopback(app, None, port_base)
    async with app.router.lifespan_context(app), callers[0], callers[1]:
        platform = Platform(
            app, composed, workers, admin, token, *callers, PostgresMarketRecord(market)
        )
        platform.installation = await installation_id(admin)
        if client is None:
            yield platform
        else:
            platform.world = World(
                client,
                journal=PostgresJournal(workers),
                queue=TRADING_QUEUE,
                hedge_market=PostgresHedgeMarket(workers),
                effects=carried_out_by(workers, platform.live_keys.mode_activities(workers, None)),
                platform=PlatformActivities(PostgresPlatform(workers)),
            )
            platform.world.modes = platform.live_keys.mode_activities(
                workers, platform.world.directory
            )
            steps = [] if traces is None else [TracedSteps(traces)]
            async with platform.world.running(interceptors=steps):
                await start_platform(client)
                yield platform
    for used in (market, workers, admin):
        await used.close()


@pytest.fixture(scope="session")
def api_database(postgres: PostgresServer) -> str:
    """One database for everything that shares the platform."""
    return postgres.new_database()


@pytest_asyncio.fixture(scope="session")
async def platform(
    postgres: PostgresServer, api_database: str, temporal_address: str
) -> AsyncIterator[Platform]:
    """One platform for the whole run: its workflow ids are its own."""
    keys = [PayloadKey("tests", os.urandom(32))]
    client = await connect(temporal_address, NAMESPACE, keys, tls=access(temporal_address))
    async with running_platform(postgres, api_database, client) as running:
        await running.set_market()
        yield running


@pytest_asyncio.fixture(scope="session")
async def account(platform: Platform) -> str:
    """An account that trades, for tests that leave it as it was or only add to it."""
    account = await platform.add_account()
    await platform.start_account(account)
    return account

"""The API over a filled record, without workers: for pictures of every page that are alike.

``python -m tests.browser.seeded [TRADES]`` prints address, password and database as one line of
JSON and serves until its input ends; TRADES of the first account are 12 unless more are asked for.
Values are chosen so that each page has something to show: profit and loss, a bare position, an
unknown price, a request that waits.
"""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import structlog
import uvicorn
from psycopg.types.json import Jsonb

from activities.adapters.postgres.installation import create_account
from api.__main__ import exchange_keys
from infra.runtime.database.connections import Role
from models.trading.account.state import AccountState
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole
from models.trading.market import MarketSnapshot
from tests.browser.directors import bring
from tests.browser.kept import kept
from tests.browser.market import correlations, doubts, ideas, moves
from tests.browser.researched import research
from tests.support.people import PASSWORD
from tests.support.platform import PORT_BASE, Platform, running_platform
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.stories import LIMITS

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
PAIRS = {"BTC/USD": "64382.4", "ETH/USD": "3197.55", "SOL/USD": "152.76", "ADA/USD": "0.451913"}
TRADES = int(sys.argv[1]) if len(sys.argv) > 1 else 12
ACCOUNTS = {"company": "company", "director-1": "director", "director-2": "director"}


OTHERS = {
    "olga": PersonRole.OPERATOR,
    "otto": PersonRole.AUDITOR,
    "petra": PersonRole.PLATFORM,
}
"""Who sees the pages besides directors."""


def minutes(count: float) -> datetime:
    return NOW + timedelta(minutes=count)


async def insert(connection: psycopg.AsyncConnection, table: str, **row: Any) -> None:
    values = {n: Jsonb(v) if isinstance(v, dict | list) else v for n, v in row.items()}
    names, marks = ", ".join(values), ", ".join(f"%({name})s" for name in values)
    await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)


async def fill(server: PostgresServer, database: str, platform: Platform) -> None:
    for name, kind in ACCOUNTS.items():
        state = AccountState(name, platform.installation, limits=LIMITS, strategies=("trend",))
        await create_account(platform.admin, state, kind, NOW)
    snapshots = [
        MarketSnapshot(
            symbol=symbol,
            bid=Decimal(price) * Decimal("0.9999"),
            ask=Decimal(price) * Decimal("1.0001"),
            last=Decimal(price),
            observed_at=NOW,
        )
        for symbol, price in PAIRS.items()
    ]
    await platform.market.save_snapshots(snapshots)
    async with await psycopg.AsyncConnection.connect(server.url(Role.MARKET, database)) as market:
        await candles(market)
        await doubts(market, insert, NOW)
    async with await psycopg.AsyncConnection.connect(server.url(Role.APP, database)) as workers:
        for place, name in enumerate(ACCOUNTS):
            await workers.execute("SELECT set_config('aether.account_id', %s, true)", (name,))
            await account_rows(workers, name, place)
            await kept(workers, insert, NOW, name)
            await ideas(workers, insert, NOW, name, place)
            await moves(workers, insert, NOW, name)
            await workers.commit()
        await correlations(workers, insert, NOW, list(PAIRS))
    await research(server, database, insert, NOW, next(iter(ACCOUNTS)))


async def candles(market: psycopg.AsyncConnection) -> None:
    price = 63800.0
    for bar in range(-150, 1):
        change = ((bar * 7919) % 101 - 48) * 2.2
        await insert(
            market,
            "candles",
            symbol="BTC/USD",
            interval_minutes=1,
            start=minutes(bar),
            open=price,
            high=max(price, price + change) + 21,
            low=min(price, price + change) - 17,
            close=price + change,
            volume=3,
        )
        price += change


async def account_rows(workers: psycopg.AsyncConnection, name: str, place: int) -> None:
    balances = {"USD": "85371.44", "BTC": "0.227"} | ({"XRP": "120"} if place == 1 else {})
    for asset, total in balances.items():
        await insert(workers, "balances", account_id=name, asset=asset, total=total, updated_at=NOW)
    for point in range(-120, 1, 2):
        value = 99_800 + ((point * 37) % 61) * 9 + point * (1 - place) * 2
        await insert(
            workers, "nav_marks", account_id=name, at=minutes(point), equity=value, cash=85371
        )
    for number in range(1, TRADES + 1 if place == 0 else 13):
        await trade(workers, name, number, bare=place == 1 and number == 12)
    await insert(
        workers,
        "hedge_reviews",
        account_id=name,
        review_id="r1",
        at=NOW,
        decided_at=NOW,
        cause="review",
        target="0.4",
        automatic_target="0.25",
        actual="0.3312",
        equity=100000,
        drawdown="0.012",
        volatility="0.031",
        value=6880,
        reason="target 0.4 against 0.33 held",
        fees="1.2",
        turnover=6880,
        move="more",
        override_share="0.4",
        override_author="anna",
        override_reason="storm ahead",
        override_expires_at=minutes(600),
        profit="-12.30",
    )
    for day in range(1, 9):
        profit = (day * 97 + place * 41) % 400 - 180
        await insert(
            workers,
            "trading_days",
            account_id=name,
            day=(NOW - timedelta(days=day)).date(),
            opened_at=NOW - timedelta(days=day + 1),
            closed_at=NOW - timedelta(days=day),
            opening_equity=100000,
            closing_equity=100000 + profit,
            flows=0,
            profit=profit,
            profit_share=Decimal(profit) / 100000,
            worst_share="0.004",
            halted=False,
        )
    if place == 0:
        await insert(
            workers,
            "approvals",
            account_id=name,
            approval_id="01HZX",
            subject="entry",
            requested_by="bruno",
            detail="buying 0.6 BTC/USD for 38,640.12 USD: 38.6 % of equity against 30 %",
            requested_at=minutes(-4),
            expires_at=minutes(236),
            price_tolerance="0.01",
            status="pending",
            symbol="BTC/USD",
            reference_price="64001.2",
            stop_price="62500",
            value="38640.12",
        )


async def trade(workers: psycopg.AsyncConnection, name: str, number: int, *, bare: bool) -> None:
    is_open = number == 12
    opened = minutes(-10 * (13 - min(number, 13)))
    profit = None if is_open else Decimal((number * 53) % 97 - 44)
    entry, moved = Decimal("63950.5") + number, number % 4 == 0
    await insert(
        workers,
        "trades",
        account_id=name,
        number=number,
        symbol="BTC/USD",
        phase="open" if is_open else "settled",
        source="idea/trend" if number % 3 else "request/anna/8f2c",
        protection="attached",
        entry_client_order_id=f"{name}-{number}-e",
        quantity="0.227",
        reference_price=entry - 4,
        stop_price=entry - (310 if moved else 700),
        take_profit_price=entry + (1800 if moved else 1500),
        trailed=moved,
        bought="0.227",
        sold="0" if is_open else "0.227",
        average_entry_price=entry,
        average_exit_price=None if is_open else entry + profit * 4,
        fees="14.52",
        cash_flow=0,
        pnl=profit,
        slippage="-0.92",
        exit_reason=None if is_open else ("stop" if profit < 0 else "take_profit"),
        protected_quantity="0" if bare else "0.227",
        unprotected_since=minutes(0) if bare else None,
        unprotected_seconds="0.8",
        decided_at=opened,
        requested_at=opened,
        opened_at=opened,
        closed_at=None if is_open else opened + timedelta(minutes=8),
        updated_at=NOW,
    )
    for leg, side, kind, status in (
        ("entry", "buy", "market", "closed"),
        ("stop", "sell", "stop-loss", "open" if is_open else "canceled"),
    ):
        if leg == "stop" and bare:
            continue
        await insert(
            workers,
            "orders",
            account_id=name,
            client_order_id=f"{name}-{number}-{leg[0]}",
            userref=number,
            trade=number,
            leg=leg,
            symbol="BTC/USD",
            side=side,
            order_type=kind,
            quantity="0.227",
            trigger_price=entry - 700 if leg == "stop" else None,
            spec={},
            status=status,
            order_id=f"O{number}-{leg}-{name}",
            filled_quantity="0.227" if leg == "entry" else "0",
            intended_at=opened,
            sent_at=opened + timedelta(milliseconds=4),
            acknowledged_at=opened + timedelta(milliseconds=31),
            ended_at=opened + timedelta(seconds=1) if leg == "entry" or not is_open else None,
            sends=1,
        )
    await insert(
        workers,
        "fills",
        account_id=name,
        execution_id=f"T{number}-{name}",
        order_id=f"O{number}-entry-{name}",
        trade=number,
        symbol="BTC/USD",
        side="buy",
        quantity="0.227",
        price=entry,
        cost=entry * Decimal("0.227"),
        fee="7.26",
        maker=False,
        exchange_time=opened,
        recorded_at=opened + timedelta(milliseconds=44),
    )


async def main() -> None:
    # What is logged goes where people look: who started this reads one line of the output only, and
    # a pipe that nobody empties stops who writes to it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with running_postgres() as server:
        database = server.new_database()
        async with running_platform(server, database, None) as platform:
            platform.services.market_followed = True
            platform.services.keys = exchange_keys(
                platform.services.settings, platform.services.database
            )
            await fill(server, database, platform)
            for name in ("anna", "bruno"):
                await bring(platform.admin, name)
            for name, role in OTHERS.items():
                await bring(platform.admin, name, (Grant(role),))
            config = uvicorn.Config(
                platform.app, port=PORT_BASE, lifespan="off", log_level="error", access_log=False
            )
            serving = uvicorn.Server(config)
            task = asyncio.create_task(serving.serve())
            document = {
                "url": f"http://localhost:{PORT_BASE}",
                "password": PASSWORD,
                "database": server.url(Role.APP, database),
            }
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
            serving.should_exit = True
            await task


if __name__ == "__main__":
    asyncio.run(main())

"""Searches of a record of a million rows: how long a page takes, by what is looked for.

A database of its own, in which every row is hashed, chained and in the tree (``rows``).
"""

import asyncio
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.record.search import Search, search_record
from activities.adapters.postgres.record.tree import PostgresRecordTree
from cli.bench.figures import load_average, machine, percentile
from cli.bench.load import BenchError
from cli.bench.record.rows import (
    ACCOUNTS,
    PRICES,
    RARE_ACCOUNT,
    bring_rows,
    request_of,
    trade_of,
)
from infra.runtime.database.connections import DATABASE, Database, Role
from infra.runtime.database.setup import create_database, migrate
from infra.stack import postgres_binaries
from models.trading.account.state import AccountState

Tell = Callable[[str], None]

BUDGET_P95_MS = 100.0
PAGE = 100
EVERY_ACCOUNT = (*ACCOUNTS, RARE_ACCOUNT)
SEED = 20260101
START_SECONDS = 30.0


def measure(rows: int, searches: int, tell: Tell) -> dict[str, Any]:
    """Fill a database and return percentiles of searches over it; ``met`` judges the slowest kind.

    Args:
        rows: rows of the record.
        searches: searches of each kind.
        tell: is told how far it is.
    """
    loads = {"before": load_average()}
    with _server() as cluster:
        begun = time.monotonic()
        _fill(cluster, rows, tell)
        report = asyncio.run(_search(cluster, searches, tell))
        report["filled_in_seconds"] = round(time.monotonic() - begun, 1)
    loads["after"] = load_average()
    worst = max(one["p95_ms"] for one in report["searches"].values())
    return report | {
        "budget_p95_ms": BUDGET_P95_MS,
        "worst_p95_ms": worst,
        "met": worst <= BUDGET_P95_MS,
        "machine": machine(loads),
    }


@contextmanager
def _server() -> Iterator[postgres_binaries.Cluster]:
    home = Path(tempfile.mkdtemp(prefix="aether-bench-audit-"))
    cluster = postgres_binaries.embedded_cluster(home)
    postgres_binaries.prepare(cluster)
    process = subprocess.Popen(  # noqa: S603 - the wheel's own program
        postgres_binaries.command_line(cluster, fsync="off", full_page_writes="off"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **postgres_binaries.run_as(cluster),
    )
    try:
        _wait(cluster, process)
        create_database(cluster.url(), DATABASE)
        migrate(cluster.url(Role.OWNER, DATABASE))
        yield cluster
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _wait(cluster: postgres_binaries.Cluster, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(cluster.url()).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return


def _fill(cluster: postgres_binaries.Cluster, rows: int, tell: Tell) -> None:
    asyncio.run(_accounts(cluster))
    with psycopg.connect(cluster.url("postgres", DATABASE), autocommit=True) as connection:
        bring_rows(connection, rows, datetime.now(UTC), tell)
        connection.execute("VACUUM ANALYZE audit_log, audit_leaves")
    asyncio.run(_check_tree(cluster, rows))


async def _accounts(cluster: postgres_binaries.Cluster) -> None:
    admin = Database(cluster.url(Role.ADMIN, DATABASE))
    for account in (*ACCOUNTS, RARE_ACCOUNT):
        await create_account(admin, AccountState(account, "bench"), "company", datetime.now(UTC))
    await admin.close()


async def _check_tree(cluster: postgres_binaries.Cluster, rows: int) -> None:
    recorder = Database(cluster.url(Role.RECORDER, DATABASE))
    tree = PostgresRecordTree(recorder)
    found = await tree.integrate()
    # The root is made of the nodes that were brought: one that is missing is told.
    await tree.root(rows)
    await recorder.close()
    if found.size != rows or not found.complete:
        raise BenchError(f"the tree holds {found.size} of {rows} rows")


async def _search(cluster: postgres_binaries.Cluster, searches: int, tell: Tell) -> dict[str, Any]:
    api = Database(cluster.url(Role.API, DATABASE))
    with psycopg.connect(cluster.url("postgres", DATABASE)) as connection:
        found = connection.execute(
            "SELECT count(*), min(recorded_at), max(recorded_at) FROM audit_leaves"
        ).fetchone()
    assert found is not None
    total, oldest, newest = found
    random, figures = Random(SEED), {}  # noqa: S311 - which page is looked at
    for kind, make in _kinds(total, oldest, newest).items():
        tell(f"searching: {kind}")
        times, found_rows = [], []
        for _ in range(searches):
            wanted, cursor = make(random)
            begun = time.perf_counter()
            asked = wanted if wanted.accounts else replace(wanted, accounts=EVERY_ACCOUNT)
            page = await search_record(api, asked, cursor, PAGE)
            times.append((time.perf_counter() - begun) * 1000)
            found_rows.append(len(page.rows))
        # A search that finds nothing of what is there is no measure of one that does.
        if max(found_rows) == 0 and kind not in FINDING_NOTHING:
            raise BenchError(f"{kind}: nothing was found")
        figures[kind] = {
            "p50_ms": round(percentile(times, 0.5) or 0.0, 2),
            "p95_ms": round(percentile(times, 0.95) or 0.0, 2),
            "max_ms": round(max(times), 2),
            "n": len(times),
            "rows": round(sum(found_rows) / len(found_rows), 1),
        }
    await api.close()
    return {"rows": total, "page": PAGE, "searches": figures}


Make = Callable[[Random], tuple[Search, str]]


def _kinds(total: int, oldest: datetime, newest: datetime) -> dict[str, Make]:
    import base64

    from models.trading.governance.record.actions import ACTIONS

    def anywhere(random: Random) -> datetime:
        return oldest + (newest - oldest) * random.random()

    def cursor(random: Random) -> str:
        raw = f"{anywhere(random).isoformat()} {random.randrange(total)}".encode()
        return base64.urlsafe_b64encode(raw).decode()

    def actor(random: Random) -> str:
        return f"user/{random.randrange(20):020}"

    def action(random: Random) -> str:
        return ACTIONS[random.randrange(40)].code

    def number(random: Random) -> int:
        return random.randrange(total)

    def price(random: Random) -> str:
        return str(50_000 + random.randrange(PRICES))

    def hour(random: Random) -> tuple[datetime, datetime]:
        begin = anywhere(random)
        return begin, begin + timedelta(hours=1)

    def both(random: Random) -> Search:
        # Each person has done two of the forty kinds of action.
        kind = random.randrange(40)
        return Search(action=ACTIONS[kind].code, actor=f"user/{kind % 20:020}")

    one, rare = (ACCOUNTS[0],), (RARE_ACCOUNT,)
    return {
        "newest page": lambda _: (Search(), ""),
        "any page (keyset)": lambda r: (Search(), cursor(r)),
        "by account": lambda r: (Search(accounts=one), cursor(r)),
        "by an account with few rows": lambda r: (Search(accounts=rare), cursor(r)),
        "by person": lambda r: (Search(actor=actor(r)), ""),
        "by person, any page": lambda r: (Search(actor=actor(r)), cursor(r)),
        "by a person and a rare account": lambda r: (Search(rare, actor=actor(r)), cursor(r)),
        "by action": lambda r: (Search(action=action(r)), ""),
        "by action, any page": lambda r: (Search(action=action(r)), cursor(r)),
        "by action and person": lambda r: (both(r), cursor(r)),
        "by trade": lambda r: (Search(correlation=trade_of(number(r))), ""),
        "by request": lambda r: (Search(correlation=request_of(number(r) // 10 * 10)), ""),
        "by time": lambda r: (Search(until=anywhere(r)), ""),
        "by an hour and an action": lambda r: (Search(None, *hour(r), action=action(r)), ""),
        "by a common word": lambda _: (Search(words="volatility"), ""),
        "by a common word, any page": lambda r: (Search(words="volatility"), cursor(r)),
        "by a common word of a rare account": lambda r: (
            Search(rare, words="volatility"),
            cursor(r),
        ),
        "by a common word in an hour": lambda r: (Search(None, *hour(r), words="volatility"), ""),
        "by a rare word": lambda _: (Search(words="quarantine"), ""),
        "by a rare word, any page": lambda r: (Search(words="quarantine"), cursor(r)),
        "by a price": lambda r: (Search(words=price(r)), ""),
        "by a price and a person": lambda r: (Search(actor=actor(r), words=price(r)), ""),
        "by what is not there": lambda _: (Search(words="nowhere"), ""),
        "by who is not there": lambda _: (Search(actor="user/nobody"), ""),
        "by a correlation that is not there": lambda _: (Search(correlation="trade/none"), ""),
    }


FINDING_NOTHING = frozenset(
    {
        "by what is not there",
        "by who is not there",
        "by a correlation that is not there",
    }
)

"""What pages of keys, comparisons and stress tests show over the seeded record."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

Insert = Callable[..., Awaitable[None]]
RIGHTS: Final = ["query_funds", "query_open_orders", "modify_orders", "cancel_orders", "websocket"]
EQUITY: Final = 100_000


async def kept(
    workers: psycopg.AsyncConnection, insert: Insert, now: datetime, account: str
) -> None:
    """Fill the record with keys, comparisons and a stress test of an account."""
    for number, (mode, ending, state, days) in enumerate(
        (("simulated", "x7Qd", "replaced", 120), ("simulated", "Ab12", "in_use", 91)), start=1
    ):
        stored = now - timedelta(days=days)
        await workers.execute(
            """INSERT INTO exchange_keys (account_id, mode, number, fingerprint, ending, state,
                   stored_at, stored_by, ended_at, permissions, validated_at, validation,
                   trading_since)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'ok', %s)""",
            (account, mode, number, f"{account}-{ending}", ending, state, stored, "aether",
             None if state == "in_use" else now - timedelta(days=91), RIGHTS, now, stored),
        )  # fmt: skip
    for minutes in range(30, 0, -5):
        await insert(workers, "reconciliations", **_comparison(account, now, minutes))
    await insert(workers, "stress_runs", **_stress(account, now))


def _comparison(account: str, now: datetime, minutes: int) -> dict[str, Any]:
    differs = minutes == 15
    found = {"balances": ["ETH: 0.02 here, 0.021 there"]} if differs else {}
    return {
        "account_id": account, "at": now - timedelta(minutes=minutes), "clean": not differs,
        "differences": found, "complete": True, "repaired": {"orders": ["one was closed there"]}
        if minutes == 20 else {}, "unknown_orders": {},
    }  # fmt: skip


def _stress(account: str, now: datetime) -> dict[str, Any]:
    shocks = (
        ("2020-03", "March 2020", "0.142"), ("2022-11", "November 2022", "0.081"),
        ("2021-05", "May 2021", "0.117"),
    )  # fmt: skip
    return {
        "account_id": account, "run_id": "s1", "requested_by": "aether", "at": now,
        "market_time": now, "equity": EQUITY, "worst_loss": "14200", "breaches": 1,
        "unpriced": [], "shocks": [
            {"name": name, "title": title, "source": "daily closes", "others": "-0.4", "moves": {}}
            for name, title, _ in shocks
        ], "results": [
            {"shock": name, "equity_before": str(EQUITY),
             "equity_after": f"{EQUITY * (1 - float(share)):.2f}",
             "loss": f"{EQUITY * float(share):.2f}", "loss_share": share,
             "loss_with_stops": f"{EQUITY * float(share) / 4:.2f}", "effects": []}
            for name, _, share in shocks
        ],
    }  # fmt: skip

"""The harder restore: the record is older than the exchange, as after every real loss.

Run as ``python -m tests.drill.older_record``. A stack trades on after its backup; then everything
but the exchange is lost. What the exchange did meanwhile must be named, and taken for nobody's own.
"""

import json
import shutil
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from infra.backup.halting import TRADES_SKIPPED
from tests.drill.__main__ import TRADE_SECONDS, done, open_trades, say
from tests.support.free_ports import free_block
from tests.support.lifting import lift_on_stack
from tests.support.own_stack import OwnStack, own_home, wait_until

REPORT = Path("build/restore-older.json")


def exchange_orders(stack: OwnStack) -> set[str]:
    record = stack.control("record?account=company")
    return {order["order_id"] for order in record["orders"]}


def unknown_orders(stack: OwnStack) -> set[str]:
    told = stack.aether("reconcile", "report", "company", "--json")  # 1 while one stands
    return {order for order in exchange_orders(stack) if order in told.stdout}


NAMED_SECONDS = 300
"""A restored account compares itself once it has caught up: minutes on a busy machine."""


def play(place: Path) -> dict[str, Any]:
    stack = OwnStack(place / "home", free_block(), MARKET="generated", SPEED="30")
    report: dict[str, Any] = {}
    try:
        done(stack, "up")
        wait_until(lambda: open_trades(stack), "an open trade", TRADE_SECONDS)
        name = json.loads(done(stack, "backup", "create", "--json"))["backup"]
        known, before = {t["number"] for t in stack.trades("company")}, exchange_orders(stack)
        (first, *_) = open_trades(stack)
        price = Decimal(first["reference_price"])
        stop = str((price * Decimal("0.9")).quantize(price))
        done(stack, "trade", "open", "company", first["symbol"], "--stop", stop)
        wait_until(
            lambda: any(t["number"] not in known for t in open_trades(stack)),
            "a trade that the backup does not know",
            TRADE_SECONDS,
        )
        lost = {t["number"] for t in stack.trades("company")} - known
        say(f"Everything but the exchange is lost, with the trades {sorted(lost)}")
        done(stack, "down")
        shutil.copytree(stack.home / "exchange", place / "exchange")
        shutil.rmtree(stack.home)
        done(stack, "backup", "restore", name)
        shutil.rmtree(stack.home / "exchange")
        shutil.copytree(place / "exchange", stack.home / "exchange")
        done(stack, "up")
        missed = exchange_orders(stack) - before
        report["orders_after_the_backup"] = len(missed)
        wait_until(
            lambda: missed <= unknown_orders(stack), "what is not known named", NAMED_SECONDS
        )
        report["named_as_not_ours"] = len(unknown_orders(stack) & missed)
        numbers = {trade["number"] for trade in stack.trades("company")}
        report["lost_trades_taken_for_known"] = len(numbers & lost)
        report["entries_while_stopped"] = sum(n > TRADES_SKIPPED for n in numbers)
        report["verify"] = stack.aether("verify").stdout.splitlines()[-12:]
        report["lift"] = lift_on_stack(stack, 1).text
    finally:
        stack.aether("down")
    return report


def is_good(report: dict[str, Any]) -> bool:
    return bool(
        report["named_as_not_ours"] == report["orders_after_the_backup"] > 0
        and not report["lost_trades_taken_for_known"]
        and not report["entries_while_stopped"]
        and "not compared" in report["lift"]
    )


def main() -> int:
    with own_home() as home:
        report = play(home.parent)
    good = is_good(report)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report | {"good": good}, indent=2) + "\n")
    say(f"{REPORT}: {json.dumps(report)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

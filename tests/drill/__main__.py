"""The restore drill: back a trading stack up, damage copies, wipe it, restore it, go on.

Run as ``python -m tests.drill`` (``make restore-drill``). Writes ``build/restore.json``; ends with
status 1 when something was not as it has to be.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.backup_check import chains_at_fault
from infra.backup import clusters
from infra.backup.halting import TRADES_SKIPPED
from infra.backup.keys import BackupKeys
from infra.backup.restore import Restorer
from infra.backup.stores import DirectoryStore
from infra.runtime.settings import Settings
from infra.stack.postgres_binaries import embedded_cluster
from tests.support.free_ports import free_block
from tests.support.lifting import lift_on_stack
from tests.support.own_stack import OwnStack, own_home, wait_until

REPORT = Path("build/restore.json")
LONGEST_SECONDS = 15 * 60
TRADE_SECONDS = 180


def say(line: str) -> None:
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")


def done(stack: OwnStack, *words: str) -> str:
    result = stack.aether(*words)
    if result.returncode != 0:
        raise SystemExit(f"aether {' '.join(words)}: {result.stderr or result.stdout}")
    return result.stdout


def books_of(home: Path) -> clusters.Books:
    with clusters.serving(embedded_cluster(home), home / "drill.log") as url:
        return clusters.books(url)


def restored_books(settings: Settings, name: str) -> clusters.Books:
    found: clusters.Books = {}

    def look(url: str) -> list[str]:
        found.update(clusters.books(url))
        return chains_at_fault(url)

    store = DirectoryStore(settings.backups)
    Restorer(store, BackupKeys(settings.backup_key_directory), name).check(settings.backups, look)
    return found


def corruptions(folder: Path) -> dict[str, tuple[Callable[[], None], str]]:
    """Return, by name, what does the damage and what has to be named."""
    parts = sorted({path.name.split(".")[0] for path in folder.glob("*.0*")})

    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 4
        path.write_bytes(content)

    found: dict[str, tuple[Callable[[], None], str]] = {}
    for part in parts:
        last = max(folder.glob(f"{part}.0*"))
        found[f"bit flipped in {part}"] = (lambda path=last: flip(path), last.name)
        found[f"chunk of {part} missing"] = (lambda path=last: path.unlink(), last.name)
    manifest = folder / "manifest.json"
    found["manifest altered"] = (
        lambda: manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 0')),
        "manifest.json",
    )
    found["manifest missing"] = (manifest.unlink, "manifest.json")
    return found


def try_corruptions(stack: OwnStack, name: str, place: Path) -> tuple[int, list[str]]:
    """Damage copies one way after another; return how many, and those that nobody noticed."""
    backups = stack.home.with_name(f"{stack.home.name}-backups")
    missed, names = [], list(corruptions(backups / name))
    for kind in names:
        copies = place / "damaged"
        shutil.copytree(backups / name, copies / name)
        damage, wanted = corruptions(copies / name)[kind]
        damage()
        damaged = OwnStack(stack.home, stack.port_base, AETHER_BACKUP_DIRECTORY=str(copies))
        told = damaged.aether("backup", "verify", name)
        if told.returncode != 2 or wanted not in told.stderr:
            missed.append(f"{kind}: {told.stderr.strip() or told.stdout.strip()}")
        shutil.rmtree(copies)
    keys = place / "other-keys"
    BackupKeys(keys).create()
    told = OwnStack(stack.home, stack.port_base, AETHER_BACKUP_KEYS=str(keys)).aether(
        "backup", "verify", name
    )
    if told.returncode != 2 or "another key" not in told.stderr:
        missed.append(f"wrong key: {told.stderr.strip()}")
    return len(names) + 1, missed


def open_trades(stack: OwnStack) -> list[dict[str, Any]]:
    return [trade for trade in stack.trades("company") if trade["phase"] == "open"]


def lift(stack: OwnStack) -> list[str]:
    """Lift the stop of the restore as soon as it may be; return what was refused until then."""
    refused: list[str] = []
    (standing,) = [row for row in stack.json("kill-switch", "status") if row["lifted_at"] is None]

    def lifted() -> bool:
        answer = lift_on_stack(stack, int(standing["number"]))
        if not answer.is_success:
            refused.append(answer.text)
        return answer.is_success

    wait_until(lifted, "the kill switch of the restore lifted", TRADE_SECONDS)
    return refused


def violated(told: str) -> list[str]:
    """Return the lines of `aether verify` that name what is violated, and by what."""
    return [line.strip() for line in told.splitlines() if line.startswith(("BAD", " "))]


def drill(place: Path) -> dict[str, Any]:
    stack = OwnStack(place / "home", free_block(), MARKET="generated", SPEED="30")
    settings = Settings(home=stack.home)
    report: dict[str, Any] = {}
    try:
        say("A stack that trades")
        done(stack, "up")
        # The day's budget for entries of unproven strategies would be spent before the restore.
        budget = ("company", "evidence.cost_budget_share=1", "--reason", "a drill", "--confirm")
        done(stack, "settings", "set", *budget)
        wait_until(lambda: open_trades(stack), "an open trade", TRADE_SECONDS)
        began = time.monotonic()
        done(stack, "backup", "create", "--verify")
        report["live_backup_seconds"] = round(time.monotonic() - began, 1)
        say("Stopped; a backup at rest, to be compared row by row")
        done(stack, "down")
        name = json.loads(done(stack, "backup", "create", "--json"))["backup"]
        before = books_of(stack.home)
        report["identical_books"] = restored_books(settings, name) == before
        report["tables"], report["rows"] = len(before), sum(count for count, _ in before.values())
        say("Damaged copies")
        report["corruptions_tried"], missed = try_corruptions(stack, name, place)
        report["corruptions_found"] = report["corruptions_tried"] - len(missed)
        report["corruptions_missed"] = missed
        say("Wiped; restored")
        shutil.rmtree(stack.home)
        began = time.monotonic()
        done(stack, "backup", "restore", name)
        done(stack, "up")
        # Stays so long as nobody lifts it; entries are off, positions protected.
        verified = stack.aether("verify")
        report["seconds"] = round(time.monotonic() - began, 1)
        report["verify_clean"] = verified.returncode == 0
        report["findings"] = violated(verified.stdout)
        numbers = {trade["number"] for trade in stack.trades("company")}
        report["entries_while_stopped"] = sum(n > TRADES_SKIPPED for n in numbers)
        report["refused_to_lift"] = sorted(set(lift(stack)))
        say("Lifted; the next trade")
        wait_until(
            lambda: any(t["number"] > TRADES_SKIPPED for t in stack.trades("company")),
            "a trade after the restore",
            TRADE_SECONDS,
        )
        verified = stack.aether("verify")
        report["verify_clean_after_trading"] = verified.returncode == 0
        report["findings"] += violated(verified.stdout)
    finally:
        stack.aether("down")
    return report


def is_good(report: dict[str, Any]) -> bool:
    return bool(
        report["identical_books"]
        and report["verify_clean"]
        and report["verify_clean_after_trading"]
        and report["corruptions_found"] == report["corruptions_tried"]
        and report["seconds"] <= LONGEST_SECONDS
        and not report["entries_while_stopped"]
    )


def main() -> int:
    os.environ.pop("AETHER_TOKEN", None)
    with own_home() as home:
        report = drill(home.parent)
    good = is_good(report)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report | {"good": good}, indent=2) + "\n")
    say(f"{REPORT}: {json.dumps(report)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

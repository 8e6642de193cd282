"""`aether verify`: the invariants, checked against the exchange itself."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from activities.accounts.verification import (
    AUDIT_BREAKS,
    BASIS,
    INVARIANTS,
    LEAKS,
    QUARANTINED,
    SILENT,
    UNPROTECTED,
    Finding,
    compare,
    is_in_doubt,
)
from activities.adapters.postgres.audit import verify_chains
from activities.adapters.postgres.leak_probe import leak_probe
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from cli.output.records import ExchangeReader, OwnReader, database_of
from cli.output.silent import silent_workflows
from infra.runtime.database.connections import Database, Role
from infra.runtime.settings import Settings

LOOK_EVERY_SECONDS = 0.25
GRACE_SECONDS = 5.0
"""An action under way shows as a difference until it is done; recovery has five seconds."""


def verify(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    grace: Annotated[
        float, typer.Option(min=0, help="Seconds that a difference may take to resolve itself.")
    ] = GRACE_SECONDS,
) -> None:
    """Check every invariant against the exchange's own record; exit 1 if any is violated.

    A difference counts when it is still there after the grace period, so that an order on its way
    is no violation, and an orphan is. An order that was sent and not answered is in doubt, and
    counted as such, until the exchange itself shows that it exists or not; one whose deadline is
    long past is named. Each invariant says what it rests on.
    """
    report = asyncio.run(run(Settings(), grace))
    if as_json:
        typer.echo(json.dumps(report))
    else:
        for invariant, count in report["invariants"].items():
            basis = report["rests_on"][invariant]["simulated"]
            typer.echo(f"{'ok ' if not count else 'BAD'} {invariant}: {count} (by {basis})")
        for finding in report["findings"]:
            typer.echo(
                f"    {finding['account']} {finding['subject']}: {finding['detail']}"
                f" (for {finding['seconds']} s)"
            )
        typer.echo(
            f"{report['orders']} orders, {report['fills']} fills compared; "
            f"{report['orders_in_doubt']} orders in doubt"
        )
    raise typer.Exit(0 if report["clean"] else 1)


async def run(settings: Settings, grace: float) -> dict[str, Any]:
    """Return the report: counts by invariant, findings that lasted, what was compared."""
    reader = ExchangeReader(settings)
    try:
        # As the workers that trade: their isolation is what is probed.
        async with database_of(settings, "aether-verify", Role.APP) as database:
            looks = Looks(database, reader, settings)
            lasting = await looks.with_known_durations(await lasting_findings(looks.take, grace))
    finally:
        await reader.close()
    counts = {name: sum(f.invariant == name for f in lasting) for name in INVARIANTS}
    return {
        "clean": not lasting,
        "invariants": counts,
        "rests_on": {
            name: {"simulated": simulated, "live": live}
            for name, (simulated, live) in BASIS.items()
        },
        "findings": [
            asdict(finding) | {"seconds": round(seconds, 3)} for finding, seconds in lasting.items()
        ],
        "orders": looks.orders,
        "fills": looks.fills,
        "orders_in_doubt": looks.in_doubt,
    }


async def lasting_findings(
    look: Callable[[], Coroutine[Any, Any, list[Finding]]],
    grace: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> dict[Finding, float]:
    """Look again until nothing is found, or what is found has lasted for the grace period.

    Returns:
        Each lasting finding with the seconds it was observed for.
    """
    started: float | None = None
    first_seen: dict[tuple[str, str, str], float] = {}
    while True:
        found = await look()
        now = clock()
        # A look that takes longer than the grace period has not yet seen anything for long.
        started = now if started is None else started
        keys = {(f.invariant, f.account, f.subject): f for f in found}
        first_seen = {key: first_seen.get(key, now) for key in keys}
        if not keys:
            return {}
        if all(now - seen >= grace for seen in first_seen.values()):
            return {keys[key]: now - seen for key, seen in first_seen.items()}
        if now - started >= 4 * grace:
            old = {k: now - s for k, s in first_seen.items() if now - s >= grace}
            return {keys[key]: seconds for key, seconds in old.items()}
        await pause(LOOK_EVERY_SECONDS)


class Looks:
    """Takes one look at everything; keeps count of what was compared."""

    def __init__(self, database: Database, exchange: ExchangeReader, settings: Settings) -> None:
        self._database = database
        self._exchange = exchange
        self._own = OwnReader(database)
        self._settings = settings
        self.orders = 0
        self.fills = 0
        self.in_doubt = 0

    async def take(self) -> list[Finding]:
        """Return every difference there is now."""
        findings: list[Finding] = []
        self.orders = self.fills = self.in_doubt = 0
        minimums = await self._exchange.minimums()
        proof_seconds = await self._exchange.proof_seconds()
        for account in await self._database.accounts():
            theirs = await self._exchange.record(account)
            ours = await self._own.record(account)
            self.orders += len(theirs.orders)
            self.fills += len(theirs.fills)
            self.in_doubt += sum(is_in_doubt(order) for order in ours.orders)
            findings += compare(account, theirs, ours, minimums, proof_seconds)
        for chain in await verify_chains(self._database):
            if not chain.intact:
                subject = str(chain.broken_at)
                findings.append(Finding(AUDIT_BREAKS, chain.account, subject, chain.reason))
        for row in await PostgresQuarantine(self._database).standing():
            detail = f"{row.step} could not be written: {row.reason}"
            findings.append(Finding(QUARANTINED, row.account_id, row.write_id, detail))
        for leak in await leak_probe(self._database):
            findings.append(Finding(LEAKS, "every account", leak, leak))
        for name, why in (await silent_workflows(self._settings)).items():
            account = name.split("/")[1] if "/" in name else "every account"
            findings.append(Finding(SILENT, account, name, why))
        return findings

    async def with_known_durations(self, lasting: dict[Finding, float]) -> dict[Finding, float]:
        """Count positions as unprotected since the record says so, if that is longer."""
        known = dict(lasting)
        for account in {f.account for f in lasting if f.invariant == UNPROTECTED}:
            since = await self._own.unprotected_since(account)
            for finding, seconds in lasting.items():
                mine = finding.account == account and finding.invariant == UNPROTECTED
                if mine and finding.trade in since:
                    recorded = (datetime.now(UTC) - since[finding.trade]).total_seconds()
                    known[finding] = max(seconds, recorded)
        return known

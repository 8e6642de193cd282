"""`aether audit`: list the record of actions, verify its hash chains."""

import asyncio
import json
from typing import Annotated

import typer

from activities.adapters.postgres.audit import ChainReport, verify_chains
from cli.client import ApiClient, segment
from cli.output.records import database_of
from infra.runtime.settings import Settings

app = typer.Typer(help="The record of every action.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_entries(
    scope: Annotated[str, typer.Argument(help="An account, or platform.")] = "platform",
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List the newest entries of one chain."""
    with ApiClient(Settings()) as api:
        entries = api.get(f"/audit/{segment(scope)}", limit=limit)
    if as_json:
        typer.echo(json.dumps(entries))
        return
    for entry in entries:
        details = " ".join(f"{name}={value}" for name, value in entry["details"].items())
        when, who, what = entry["recorded_at"], entry["actor"], entry["action"]
        typer.echo(f"{entry['sequence']:>6} {when} {who} {what} {details}")


@app.command()
def verify(*, as_json: Json = False) -> None:
    """Recompute every chain from its documented text; exit 1 and name the first broken row."""
    reports = asyncio.run(_verify())
    if as_json:
        rows = [
            {"chain": r.account, "rows": r.rows, "broken_at": r.broken_at, "reason": r.reason}
            for r in reports
        ]
        typer.echo(json.dumps({"intact": all(r.intact for r in reports), "chains": rows}))
    else:
        for report in reports:
            state = "intact" if report.intact else f"BROKEN at {report.broken_at}: {report.reason}"
            typer.echo(f"{report.account}: {report.rows} rows, {state}")
    raise typer.Exit(0 if all(report.intact for report in reports) else 1)


async def _verify() -> list[ChainReport]:
    async with database_of(Settings(), "aether-audit") as database:
        return await verify_chains(database)

"""`aether audit`: list the record of actions, verify it against its checkpoints."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

from cli.client import ApiClient, segment
from cli.commands.governance.audit_verification import document, lines, verified
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
def verify(
    *,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint kept elsewhere; may be repeated."),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", help="A file with the key of the log or of a witness."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Recompute all chains and the tree over them; exit 1 and name what was changed, and where."""
    report, used = asyncio.run(verified(Settings(), checkpoint or [], key or []))
    if as_json:
        typer.echo(json.dumps(document(report, used)))
    else:
        typer.echo("\n".join(lines(report, used)))
    raise typer.Exit(0 if report.intact else 1)

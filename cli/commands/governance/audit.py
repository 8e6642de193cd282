"""`aether audit`: list the record of actions, verify it against its checkpoints."""

import asyncio
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from activities.ports.record import Selection
from cli.client import ApiClient, segment
from cli.commands.governance.audit_verification import document, lines, verified
from cli.commands.governance.evidence import exported
from infra.runtime.errors import ConfigurationError
from infra.runtime.files import write_atomically
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


@app.command("export-pack")
def export_pack(
    place: Annotated[str, typer.Argument(help="A directory, or s3://BUCKET/PREFIX.")],
    *,
    account: Annotated[str | None, typer.Option(help="Only this chain.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From this time on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this time, UTC.")] = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="An earlier checkpoint: the growth since is proven.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write evidence that anybody can verify without Aether; repeated, it goes on where it was."""
    selection = Selection(account, _utc(since), _utc(until))
    earlier = None if previous is None else previous.read_text()
    pack = asyncio.run(exported(Settings(), place, selection, earlier))
    if as_json:
        typer.echo(json.dumps(asdict(pack)))
        return
    gone_on = ", gone on with" if pack.resumed else ""
    typer.echo(
        f"{pack.rows} rows of a tree of {pack.tree_size} in {pack.files} files{gone_on}: {place}"
    )


@app.command("request-pack")
def request_pack(
    *,
    account: Annotated[str | None, typer.Option(help="Only this chain.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From this time on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this time, UTC.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Idempotency key.")] = None,
    as_json: Json = False,
) -> None:
    """Have the platform make a pack, to be fetched when it is ready."""
    wanted = Selection(account, _utc(since), _utc(until))
    body = {
        "account": wanted.account,
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
    }
    with ApiClient(Settings()) as api:
        pack = api.post("/evidence-packs", body, key)
    typer.echo(json.dumps(pack) if as_json else f"{pack['pack_id']} {pack['state']}")


@app.command("packs")
def list_packs(
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 20,
    as_json: Json = False,
) -> None:
    """List the packs that were asked for, newest first."""
    with ApiClient(Settings()) as api:
        packs = api.get("/evidence-packs", limit=limit)
    if as_json:
        typer.echo(json.dumps(packs))
        return
    for pack in packs:
        rows = "" if pack["rows"] is None else f" {pack['rows']} rows"
        what = pack["account"] or "every chain"
        typer.echo(f"{pack['pack_id']} {pack['state']}{rows} {what} {pack['reason']}".rstrip())


@app.command("fetch-pack")
def fetch_pack(
    pack: Annotated[str, typer.Argument(help="Its id.")],
    file: Annotated[Path, typer.Argument(help="The ZIP to write; none may be there yet.")],
) -> None:
    """Write a pack that is ready into a file that only its owner can read."""
    if file.exists():
        raise ConfigurationError(f"{file} is there already")
    with ApiClient(Settings()) as api:
        content = api.download(f"/evidence-packs/{segment(pack)}/file")
    write_atomically(file, content, 0o600)
    typer.echo(f"{len(content)} bytes: {file}")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


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

"""`aether freeze`: hold changes back for a while, and review what was changed all the same."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient
from infra.runtime.settings import Settings

app = typer.Typer(help="Freeze changes.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key.")]
Reason = Annotated[str, typer.Option("--reason", help="Why (kept in the audit log).")]
Which = Annotated[int, typer.Argument(min=1, help="Its number.")]


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show whether changes are frozen, and what was changed in spite of it."""
    with ApiClient(Settings()) as api:
        _show(api.get("/freeze"), as_json=as_json)


@app.command()
def begin(*, reason: Reason, key: Key = None, as_json: Json = False) -> None:
    """Freeze changes until somebody ends it; stopping, closing and tightening go on."""
    _post("/freeze", reason, key, as_json=as_json)


@app.command()
def end(number: Which, *, reason: Reason, key: Key = None, as_json: Json = False) -> None:
    """End a freeze that was begun by hand."""
    _post(f"/freeze/{number}/end", reason, key, as_json=as_json)


@app.command()
def review(number: Which, *, reason: Reason, key: Key = None, as_json: Json = False) -> None:
    """Review what another person did in spite of a freeze."""
    _post(f"/freeze/breaks/{number}/review", reason, key, as_json=as_json)


def _post(path: str, reason: str, key: str | None, *, as_json: bool) -> None:
    with ApiClient(Settings()) as api:
        _show(api.post(path, {"reason": reason}, key), as_json=as_json)


def _show(state: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(state))
        return
    for one in state["standing"]:
        number = f"{one['number']}  " if one["number"] else ""
        until = f" until {one['until']}" if one["until"] else ""
        typer.echo(f"{number}FROZEN since {one['since']}{until}: {one['reason']}")
    if not state["standing"]:
        typer.echo("changes are not frozen")
    for one in state["breaks"]:
        found = f"reviewed by {one['reviewed_by']}" if one["reviewed_by"] else "WAITS FOR A REVIEW"
        typer.echo(f"break {one['number']}  {found}  {one['operation']}: {one['reason']}")

"""`aether universe`: the pairs that may be traded, what is proposed, and changes by two people."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient
from cli.commands.governance.break_glass import BreakGlass
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

app = typer.Typer(help="The pairs that may be traded.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Change = Annotated[int, typer.Argument(min=1, help="The change's number.")]
Key = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: a repeat does it only once.")
]


@app.command()
def show(*, as_json: Json = False) -> None:
    """Show the universe in force: buckets, minimums and status of its pairs."""
    with ApiClient(Settings()) as api:
        found = api.get("/universe")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(
        f"version {found['version']} by {found['author']}, approved by {found['approved_by']}: "
        f"{found['reason']}"
    )
    for pair in found["pairs"]:
        typer.echo(
            f"{pair['symbol']:<12} {pair['bucket']:<10} {pair['standing']:<8} {pair['status']:<12} "
            f"at least {pair['quantity_minimum']} and {pair['cost_minimum']} USD"
        )


@app.command()
def proposal(*, as_json: Json = False) -> None:
    """Show what the rules would change, and why each pair fits or not."""
    with ApiClient(Settings()) as api:
        found = api.get("/universe/proposal")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"proposal {found['number']} on version {found['based_on']}")
    joins = ", ".join(pair["symbol"] for pair in found["joins"])
    typer.echo(f"would join: {joins or 'none'}")
    typer.echo(f"would leave: {', '.join(found['leaves']) or 'none'}")
    for verdict in found["verdicts"]:
        failed = "; ".join(c["reason"] for c in verdict["checks"] if not c["passed"])
        typer.echo(f"{verdict['symbol']:<12} {'fits' if verdict['allowed'] else failed}")


@app.command()
def changes(*, as_json: Json = False) -> None:
    """List the changes that people asked for, newest first."""
    with ApiClient(Settings()) as api:
        found = api.get("/universe/changes")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for change in found:
        typer.echo(_line(change))


@app.command()
def change(
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    join: Annotated[list[str] | None, typer.Option("--join", help="A proposed pair.")] = None,
    leave: Annotated[list[str] | None, typer.Option("--leave", help="A pair to go.")] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Ask for a change; it counts when another person has approved it."""
    if not join and not leave:
        raise ConfigurationError("say what changes: --join SYMBOL or --leave SYMBOL")
    body = {"reason": reason, "joins": join or [], "leaves": leave or []}
    with ApiClient(Settings()) as api:
        _tell(api.post("/universe/changes", body, key), as_json=as_json)


@app.command()
def approve(
    number: Change, *, break_glass: BreakGlass = None, key: Key = None, as_json: Json = False
) -> None:
    """Approve what somebody else asked for; it takes a person (aether sign-in) and a code."""
    with ApiClient(Settings()) as api:
        path = f"/universe/changes/{number}/approve"
        _tell(api.post(path, None, key, break_glass), as_json=as_json)


@app.command()
def refuse(number: Change, *, key: Key = None, as_json: Json = False) -> None:
    """Refuse a change."""
    with ApiClient(Settings()) as api:
        _tell(api.post(f"/universe/changes/{number}/refuse", None, key), as_json=as_json)


@app.command()
def groups(*, as_json: Json = False) -> None:
    """Show which pairs move together, and so count as one risk."""
    with ApiClient(Settings()) as api:
        found = api.get("/correlations")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"computation {found['number']} at {found['at']}, up to {found['market_time']}")
    for group in found["groups"]:
        typer.echo(f"{group['name']}: {', '.join(group['symbols'])}")


def _tell(change: dict[str, Any], *, as_json: bool) -> None:
    typer.echo(json.dumps(change) if as_json else _line(change))


def _line(change: dict[str, Any]) -> str:
    decided = f" by {change['decided_by']}" if change["decided_by"] else ""
    return (
        f"change {change['number']} for version {change['version']}, {change['outcome']}{decided}: "
        f"asked by {change['author']} ({change['reason']}); "
        f"joins {', '.join(change['joins']) or 'none'}; "
        f"leaves {', '.join(change['leaves']) or 'none'}"
    )

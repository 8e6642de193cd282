"""`aether approvals`: what waits for a second person, and that person's decisions."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.commands.governance.break_glass import BreakGlass
from infra.runtime.settings import Settings

app = typer.Typer(help="What waits for a second person.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Approval = Annotated[str, typer.Argument(help="The request's id, as `list` shows it.")]
Key = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: a repeat does it only once.")
]


@app.command("list")
def list_approvals(
    *,
    every: Annotated[bool, typer.Option("--all", help="Those decided, too.")] = False,
    as_json: Json = False,
) -> None:
    """List what waits for a second person."""
    with ApiClient(Settings()) as api:
        found = api.get("/approvals", pending=not every)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for approval in found:
        typer.echo(_line(approval))
    if not found:
        typer.echo("nothing waits")


@app.command()
def approve(
    approval: Approval,
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Approve what somebody else asked for; it takes a person (aether sign-in) and a code."""
    body = {} if reason is None else {"reason": reason}
    _decide(approval, "approve", body, key, break_glass, as_json=as_json)


@app.command()
def refuse(
    approval: Approval,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    *,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Refuse a request; who asked may do so too."""
    _decide(approval, "refuse", {"reason": reason}, key, as_json=as_json)


def _decide(
    approval: str,
    verb: str,
    body: dict[str, Any],
    key: str | None,
    glass: str | None = None,
    *,
    as_json: bool,
) -> None:
    with ApiClient(Settings()) as api:
        answer = api.post(f"/approvals/{segment(approval)}/{verb}", body, key, glass)
    trade = "" if answer["trade"] is None else f" (trade {answer['trade']})"
    typer.echo(json.dumps(answer) if as_json else f"{answer['detail']}{trade}")


def _line(approval: dict[str, Any]) -> str:
    who = f"asked by {approval['requested_by']}"
    if approval["decided_by"]:
        who += f", {approval['status']} by {approval['decided_by']}"
    outcome = f": {approval['outcome_detail']}" if approval["outcome_detail"] else ""
    value = "" if approval["value"] is None else f" {float(approval['value']):,.2f} USD"
    return (
        f"{approval['approval_id']}  {approval['status']:<8} {approval['account_id']:<12} "
        f"{approval['subject']}{value}  {approval['detail']}  {who}{outcome}"
    )

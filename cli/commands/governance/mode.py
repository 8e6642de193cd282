"""`aether mode`: what an account lacks to go live, the two people it takes, and the change."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.commands.governance.break_glass import BreakGlass
from infra.runtime.settings import Settings

app = typer.Typer(help="Simulated or live.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="Which account.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def conditions(account: Account, *, key: Key = None, as_json: Json = False) -> None:
    """Check every condition of going live now; exit code 1 while one does not hold."""
    with ApiClient(Settings()) as api:
        found = api.post(f"/accounts/{segment(account)}/going-live/check", None, key)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"{account} is {found['mode']}")
        for condition in found["conditions"]:
            mark = "ok     " if condition["ok"] else "MISSING"
            typer.echo(f"  {mark} {condition['code']}: {condition['reason']}")
    raise typer.Exit(0 if found["ready"] else 1)


@app.command()
def request(
    account: Account,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    override_evidence: Annotated[
        bool,
        typer.Option("--override-evidence", help="Though the run has not shown a profit."),
    ] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Ask for the account to go live; another person has to approve it."""
    body = {"reason": reason, "override_evidence": override_evidence}
    _tell(account, "/going-live/requests", body, key, as_json=as_json)


@app.command()
def approve(
    account: Account,
    number: Annotated[int, typer.Argument(min=1, help="The request's number.")],
    *,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Approve somebody else's request; it takes a person (aether sign-in) and a code."""
    path = f"/going-live/requests/{number}/approve"
    _tell(account, path, None, key, break_glass, as_json=as_json)


@app.command("set")
def set_mode(
    account: Account,
    mode: Annotated[str, typer.Argument(help="simulated or live")],
    *,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Change the mode, if every condition holds and nothing is open in the present one."""
    with ApiClient(Settings()) as api:
        path = f"/accounts/{segment(account)}/mode"
        answer = api.put(path, {"mode": mode}, key, break_glass)
    typer.echo(json.dumps(answer) if as_json else answer["detail"])


def _tell(
    account: str,
    path: str,
    body: dict[str, Any] | None,
    key: str | None,
    glass: str | None = None,
    *,
    as_json: bool,
) -> None:
    with ApiClient(Settings()) as api:
        row = api.post(f"/accounts/{segment(account)}{path}", body, key, glass)
    approved = row["approved_by"] or "nobody yet"
    without = ", without evidence of a profit" if row["overrides_evidence"] else ""
    words = f"request {row['number']} by {row['requested_by']}, approved by {approved}{without}"
    typer.echo(json.dumps(row) if as_json else words)

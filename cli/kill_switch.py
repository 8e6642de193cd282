"""`aether kill-switch`: engage, status, lift."""

import json
from typing import Annotated

import typer

from cli.client import ApiClient
from infra.runtime.settings import Settings

app = typer.Typer(help="Stop every account, or those named.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[
    str | None, typer.Option(help="Idempotency key: a repeat with it does nothing twice.")
]


@app.command()
def engage(
    reason: Annotated[str, typer.Option(help="Why (kept in the audit log).")],
    *,
    flatten: Annotated[
        bool, typer.Option(help="Close positions too; else they stay protected.")
    ] = False,
    account: Annotated[
        list[str] | None, typer.Option(help="Only this account; repeatable.")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Stop entries and withdraw open ones, now."""
    body = {"reason": reason, "flatten": flatten, "accounts": account or []}
    with ApiClient(Settings()) as api:
        engaged = api.post("/kill-switch", body, key)
    if as_json:
        typer.echo(json.dumps(engaged))
    else:
        accounts = ", ".join(engaged["accounts"])
        typer.echo(f"kill switch {engaged['number']} engaged for {accounts}")
    if engaged["silent"]:
        silent = ", ".join(engaged["silent"])
        typer.echo(
            f"{silent}: does not answer. Nothing more is bought; what it holds keeps its stops and "
            "is closed, if asked for, when its workflow is back: aether kill-switch status",
            err=True,
        )


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show every engagement, newest first."""
    with ApiClient(Settings()) as api:
        switches = api.get("/kill-switch")
    if as_json:
        typer.echo(json.dumps(switches))
        return
    for switch in switches:
        state = f"lifted {switch['lifted_at']}" if switch["lifted_at"] else "ENGAGED"
        halted = f"{len(switch['acknowledged'])} of {len(switch['accounts'])} accounts halted"
        missing = [a for a in switch["accounts"] if a not in switch["acknowledged"]]
        silent = f" (not yet: {', '.join(missing)})" if missing else ""
        typer.echo(f"{switch['number']}  {state}  {halted}{silent}  {switch['reason']}")
    if not switches:
        typer.echo("never engaged")


@app.command()
def lift(
    number: Annotated[int, typer.Argument(help="The engagement's number.")],
    reason: Annotated[str, typer.Option(help="Why (kept in the audit log).")],
    *,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Approve the lift of a kill switch."""
    with ApiClient(Settings()) as api:
        lifted = api.post(f"/kill-switch/{number}/lift", {"reason": reason}, key)
    typer.echo(json.dumps(lifted) if as_json else lifted["detail"])

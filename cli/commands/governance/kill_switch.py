"""`aether kill-switch`: engage, status, lift."""

import getpass
import json
from http import HTTPStatus
from typing import Annotated, Any

import typer

from cli.client import ApiClient, RefusedError
from infra.runtime.emergency import NotStoppedError, StopFile, call_stop, stop_now
from infra.runtime.errors import NotRunningError, PlatformError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

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
    pair: Annotated[
        list[str] | None, typer.Option(help="Only this pair, as BTC/USD; repeatable.")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Stop entries and withdraw open ones, now."""
    body = {"reason": reason, "flatten": flatten, "accounts": account or [], "symbols": pair or []}
    settings = Settings()
    try:
        with ApiClient(settings) as api:
            engaged = api.post("/kill-switch", body, key)
    except (NotRunningError, RefusedError) as error:
        if isinstance(error, RefusedError) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        engaged = _stop_directly(settings, reason, tuple(account or ()), flatten, error)
    if as_json:
        typer.echo(json.dumps(engaged))
    elif not engaged["recorded"]:
        typer.echo("stopped where orders are sent; recorded as a kill switch when that is possible")
        for name, done in engaged["withdrawn"].items():
            typer.echo(f"  {name}: {done}")
    else:
        accounts = ", ".join(engaged["accounts"])
        pairs = f" in {', '.join(engaged['symbols'])}" if engaged["symbols"] else ""
        typer.echo(f"kill switch {engaged['number']} engaged for {accounts}{pairs}")
    if engaged["silent"]:
        silent = ", ".join(engaged["silent"])
        typer.echo(
            f"{silent}: does not answer. Nothing more is bought; what it holds keeps its stops and "
            "is closed, if asked for, when its workflow is back: aether kill-switch status",
            err=True,
        )


def _stop_directly(
    settings: Settings, reason: str, accounts: tuple[str, ...], flatten: bool, error: PlatformError
) -> dict[str, Any]:
    """Stop without the API: its own user may tell the trading process over its socket.

    Where not even that answers, the order is kept for whichever process sends orders next.
    """
    typer.echo(f"{error}; telling the trading process directly", err=True)
    order = stop_now(reason, f"local/{getpass.getuser()}", accounts, flatten=flatten)
    places = StateDirectory(settings.home)
    try:
        told = call_stop(places.sockets, order)
    except NotStoppedError as unheard:
        if places.run.is_dir() and StopFile(places.run).add(order):
            raise NotRunningError(
                f"{unheard}; the stop is kept: a trading process that starts obeys it first"
            ) from None
        raise NotRunningError(f"{unheard}; nothing was stopped, end the processes") from None
    return {
        "number": 0,
        "recorded": False,
        "accounts": list(accounts) or list(told["accounts"]),
        "symbols": [],
        "silent": [name for name in accounts if name not in told["accounts"]],
        "withdrawn": told["accounts"],
    }


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
        if switch["lift_approval"] and not switch["lifted_at"]:
            state += f" (lift asked for: aether approvals approve {switch['lift_approval']})"
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
    """Ask for a kill switch to be lifted; another person approves it (aether approvals)."""
    with ApiClient(Settings()) as api:
        lifted = api.post(f"/kill-switch/{number}/lift", {"reason": reason}, key)
    said = f"{lifted['detail']}: aether approvals approve {lifted['approval']}"
    typer.echo(json.dumps(lifted) if as_json else said)

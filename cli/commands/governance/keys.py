"""`aether keys`: the keys with which accounts trade; asked for, never an argument, never shown."""

import json
import sys
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.commands.governance.break_glass import BreakGlass
from cli.output.tables import Figures
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings
from models.trading.risk.limits import Mode

app = typer.Typer(help="Exchange keys: upload, check, rotate, remove.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="Which account.")]
ModeOption = Annotated[Mode, typer.Option("--mode", help="What the key is for.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_keys(account: Account, *, as_json: Json = False) -> None:
    """List the keys that an account has or had: state, age, last validation."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/keys")
    if as_json:
        typer.echo(json.dumps(found))
        return
    columns = ("mode", "key", "state", "days", "validated", "found", "trading since")
    table = Figures(columns, right=frozenset({"days"}))
    for key in found:
        days = f"{key['age_days']}{' rotate' if key['due'] else ''}"
        table.add(
            key["mode"],
            f"…{key['ending']}",
            key["state"],
            days,
            key["validated_at"][:16],
            key["validation"],
            (key["trading_since"] or "-")[:16],
        )
    table.show()


@app.command()
def upload(
    account: Account,
    *,
    mode: ModeOption = Mode.LIVE,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Store a key, or rotate to it: validated with the exchange before it counts.

    Asked for on the terminal; from a pipe two lines are read: the key, then its private key.
    """
    public, private = _asked() if sys.stdin.isatty() else _piped()
    body = {"mode": mode.value, "key": public, "private_key": private}
    with ApiClient(Settings()) as api:
        answer = api.post(f"/accounts/{segment(account)}/keys", body, key, break_glass)
    _tell(answer, as_json=as_json)


@app.command()
def check(
    account: Account,
    *,
    mode: ModeOption = Mode.LIVE,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Validate the stored key now; exit code 1 if it is not fit."""
    with ApiClient(Settings()) as api:
        path = f"/accounts/{segment(account)}/keys/{mode.value}/check"
        answer = api.post(path, None, key, break_glass)
    _tell(answer, as_json=as_json)
    raise typer.Exit(0 if answer["validation"] == "ok" else 1)


@app.command()
def remove(
    account: Account, *, mode: ModeOption = Mode.LIVE, key: Key = None, as_json: Json = False
) -> None:
    """Forget the stored key, unless the account trades in its mode."""
    with ApiClient(Settings()) as api:
        answer = api.post(f"/accounts/{segment(account)}/keys/{mode.value}/remove", None, key)
    _tell(answer, as_json=as_json)


def _asked() -> tuple[str, str]:
    public = typer.prompt("API key", hide_input=True, err=True).strip()
    return public, typer.prompt("Private key", hide_input=True, err=True).strip()


def _piped() -> tuple[str, str]:
    lines = sys.stdin.read(4096).split()
    if len(lines) != 2:
        raise ConfigurationError("two lines are expected: the key, then its private key")
    return lines[0], lines[1]


def _tell(key: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(key))
        return
    rights = ", ".join(key["permissions"])
    typer.echo(
        f"{key['mode']} key …{key['ending']} of {key['account']}: {key['state']}, "
        f"validation {key['validation']} ({rights})"
    )

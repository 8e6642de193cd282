"""`aether hedge`: how much of an account is held in USD, and setting it by hand."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

app = typer.Typer(help="How much of an account is held in USD.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account, for example company.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[
    str | None, typer.Option("--key", help="Idempotency key: a repeat does it only once.")
]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@app.command()
def show(account: Account, *, as_json: Json = False) -> None:
    """Show target, actual share, override, cost and profit of the hedge."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/hedge")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{found['account']}: {found['state']}")
    if found["latest"] is not None:
        typer.echo(_line(found["latest"]))


@app.command()
def history(
    account: Account,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 20,
    as_json: Json = False,
) -> None:
    """List reviews of the hedge, newest first."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/hedge/history", limit=limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for review in found:
        typer.echo(_line(review))
    if not found:
        typer.echo("never looked at")


@app.command()
def override(
    account: Account,
    share: Annotated[str, typer.Argument(help="Share to be held in USD: 0.4 or 40%.")],
    reason: Annotated[str, typer.Option("--reason", help="Why (kept in the audit log).")],
    *,
    expires: Annotated[
        str | None, typer.Option(help="Market time it holds for, for example 12h.")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Set the share by hand until it expires or is cleared."""
    body: dict[str, Any] = {"share": _share(share), "reason": reason}
    if expires is not None:
        body["expires_after_seconds"] = _seconds(expires)
    with ApiClient(Settings()) as api:
        answer = api.post(f"/accounts/{segment(account)}/hedge/override", body, key)
    typer.echo(json.dumps(answer) if as_json else answer["detail"])


@app.command()
def clear(account: Account, *, key: Key = None, as_json: Json = False) -> None:
    """Give the hedge back to the formula."""
    with ApiClient(Settings()) as api:
        answer = api.delete(f"/accounts/{segment(account)}/hedge/override", key)
    typer.echo(json.dumps(answer) if as_json else answer["detail"])


def _share(given: str) -> str:
    text, percent = given.removesuffix("%"), given.endswith("%")
    try:
        value = float(text) / (100 if percent else 1)
    except ValueError:
        raise ConfigurationError(f"{given} is no share: write 0.4 or 40%") from None
    return f"{value:.6f}"


def _seconds(given: str) -> int:
    number, unit = given[:-1], given[-1:]
    if unit not in UNITS or not number.isdigit() or int(number) == 0:
        raise ConfigurationError(f"{given} is no time: write 90s, 30m, 12h or 7d")
    return int(number) * UNITS[unit]


def _line(review: dict[str, Any]) -> str:
    target = "none" if review["target"] is None else f"{float(review['target']):.2%}"
    profit = "?" if review["profit"] is None else f"{float(review['profit']):+,.2f}"
    hand = f" (by {review['override_author']})" if review["override_share"] is not None else ""
    what = f"{review['move']} {float(review['value']):,.2f} USD" if review["move"] else ""
    return (
        f"{review['at']}  target {target}{hand}  actual {float(review['actual']):.2%}  "
        f"{what or review['reason']}  fees {float(review['fees']):,.2f}  PnL {profit} USD"
    )

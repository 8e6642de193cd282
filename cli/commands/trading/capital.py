"""`aether capital`: what was brought in, and simulated deposits and withdrawals."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.output.tables import Figures
from infra.runtime.settings import Settings

app = typer.Typer(help="Capital brought in and taken out.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account, for example company.")]
Amount = Annotated[str, typer.Argument(help="How much, in units of the asset.")]
Asset = Annotated[str, typer.Option(help="The asset, for example BTC.")]
Note = Annotated[str, typer.Option("--note", help="Why; it is written down.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[
    str | None,
    typer.Option(help="Idempotency key: a repeat with it does nothing twice.", metavar="TEXT"),
]


@app.command()
def deposit(
    account: Account,
    amount: Amount,
    *,
    note: Note,
    asset: Asset = "USD",
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Bring simulated capital in."""
    _move("deposit", account, amount, asset, note, key, as_json=as_json)


@app.command()
def withdraw(
    account: Account,
    amount: Amount,
    *,
    note: Note,
    asset: Asset = "USD",
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Take simulated capital out."""
    _move("withdrawal", account, amount, asset, note, key, as_json=as_json)


@app.command()
def show(account: Account, *, as_json: Json = False) -> None:
    """Show what was brought in and what trading made of it."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/capital")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"net asset value {found['nav']} USD, brought in {found['contributed']} USD")
    for baseline in found["baselines"]:
        typer.echo(
            f"  since {baseline['at']} ({baseline['reason']}, {baseline['value']} USD): "
            f"profit {baseline['profit']} USD"
        )
    _flows(found["flows"]).show()


def _flows(flows: list[dict[str, Any]]) -> Figures:
    columns = ("at", "asset", "amount", "USD", "source", "by", "note")
    table = Figures(columns, right=frozenset({"amount", "USD"}))
    for flow in flows:
        names = ("at", "asset", "amount", "value", "source", "author", "note")
        table.add(*(str(flow[name]) for name in names))
    return table


def _move(
    kind: str, account: str, amount: str, asset: str, note: str, key: str | None, *, as_json: bool
) -> None:
    body = {"kind": kind, "asset": asset, "amount": amount, "note": note}
    with ApiClient(Settings()) as api:
        answer = api.post(f"/accounts/{segment(account)}/capital", body, key)
    typer.echo(json.dumps(answer) if as_json else f"{answer['code']}: {answer['detail']}")

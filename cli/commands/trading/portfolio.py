"""`aether portfolio` and `aether days`: what accounts hold, are worth, and made each day."""

import json
from decimal import Decimal
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.output.tables import Figures
from infra.runtime.settings import Settings

DAY_COLUMNS = (*("day", "opening", "closing", "flows", "profit", "%", "worst %", "fees", "halted"),)

Account = Annotated[str, typer.Argument(help="The account, for example company.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Since = Annotated[str | None, typer.Option(help="Begin of the time shown, ISO 8601; 30 days back.")]


def portfolio(
    account: Annotated[str | None, typer.Argument(help="Only this account.")] = None,
    *,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """Show holdings, exposure, value and return of one account, or of all together."""
    given = {} if since is None else {"since": since}
    with ApiClient(Settings()) as api:
        if account is None:
            found = api.get("/portfolio", **given)
            shown = {**found["accounts"], "together": found["total"]}
        else:
            found = api.get(f"/accounts/{segment(account)}/portfolio", **given)
            shown = {account: found}
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, one in shown.items():
        typer.echo(_summary(name, one))
        _holdings(one).show()


def days(
    account: Account,
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 30,
    as_json: Json = False,
) -> None:
    """List an account's closed days with profit and loss, newest first."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/days", limit=limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Figures(DAY_COLUMNS, right=frozenset(DAY_COLUMNS[1:-1]))
    for day in found:
        table.add(
            day["day"],
            _usd(day["opening_equity"]),
            _usd(day["closing_equity"]),
            _usd(day["flows"]),
            _usd(day["profit"]),
            _percent(day["profit_share"]),
            _percent(day["worst_share"]),
            _usd(day["fees"]),
            "yes" if day["halted"] else "",
        )
    table.show()


def _summary(name: str, one: dict[str, Any]) -> str:
    return (
        f"{name}: {_usd(one['nav'])} USD at {one['valued_at']}, "
        f"{_percent(one['exposure_share'])} exposed, "
        f"return {_percent(one['return_share'])} since {one['since']}"
    )


def _holdings(one: dict[str, Any]) -> Figures:
    columns = ("asset", "quantity", "price", "USD", "share", "dust")
    table = Figures(columns, right=frozenset(columns[1:]))
    for holding in one["holdings"]:
        table.add(
            holding["asset"],
            holding["quantity"],
            holding["price"] or "no price",
            _usd(holding["value"]),
            _percent(holding["share"]),
            holding["dust"] if Decimal(holding["dust"]) else "",
        )
    return table


def _usd(amount: str | None) -> str:
    return "" if amount is None else f"{Decimal(amount):,.2f}"


def _percent(share: str | None) -> str:
    return "" if share is None else f"{Decimal(share):.2%}"

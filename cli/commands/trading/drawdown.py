"""`aether drawdown`: how far an account is down, and lifting the halt of the total level."""

import json
from decimal import Decimal
from typing import Annotated

import typer

from cli.client import ApiClient, segment
from infra.runtime.settings import Settings

app = typer.Typer(help="Losses of the day and from the best.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account, for example company.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(account: Account, *, as_json: Json = False) -> None:
    """Show how far the account is down today and from its best."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/drawdown")
    if as_json:
        typer.echo(json.dumps(found))
        return
    daily, total = Decimal(found["daily_share"]), Decimal(found["total_share"])
    typer.echo(f"{account}: down {daily:.2%} on {found['day']}, {total:.2%} from the best")
    for name in ("daily", "total"):
        if found[f"{name}_halted_at"]:
            typer.echo(f"  {name} level reached at {found[f'{name}_halted_at']}: no entries")


@app.command()
def lift(
    account: Account,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is written down.")],
    key: Annotated[str | None, typer.Option(help="Idempotency key.", metavar="TEXT")] = None,
    as_json: Json = False,
) -> None:
    """Lift the halt of the total drawdown; the daily one ends with its day."""
    with ApiClient(Settings()) as api:
        path = f"/accounts/{segment(account)}/drawdown/lift"
        answer = api.post(path, {"reason": reason}, key)
    typer.echo(json.dumps(answer) if as_json else f"{answer['code']}: {answer['detail']}")

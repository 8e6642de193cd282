"""`aether stress`: what would be left of a portfolio after a shock, and which limits break."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

app = typer.Typer(help="Portfolios put through shocks.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="Which account.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(
    account: Account,
    *,
    shock: Annotated[
        list[str] | None,
        typer.Option("--shock", help="NAME:BTC=-0.3,ETH=-0.4,others=-0.35, shares of the price."),
    ] = None,
    only: Annotated[bool, typer.Option("--only", help="Without the historical shocks.")] = False,
    key: Annotated[str | None, typer.Option("--key", help="Idempotency key.")] = None,
    as_json: Json = False,
) -> None:
    """Put the present portfolio through the historical shocks and those given."""
    body = {"shocks": [_shock(text) for text in shock or []], "historical": not only}
    with ApiClient(Settings()) as api:
        found = api.post(f"/accounts/{segment(account)}/stress", body, key)
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


@app.command("list")
def list_runs(account: Account, *, as_json: Json = False) -> None:
    """List the account's runs, newest first."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/stress")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        typer.echo(
            f"{one['run_id']} {one['at']} by {one['requested_by']}: worst loss "
            f"{one['worst_loss']} of {one['equity']} USD, {one['breaches']} limits breached"
        )


@app.command()
def show(
    account: Account,
    run_id: Annotated[str, typer.Argument(help="Which run.")],
    *,
    as_json: Json = False,
) -> None:
    """Show one run."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/stress/{segment(run_id)}")
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _shock(text: str) -> dict[str, Any]:
    name, separator, rest = text.partition(":")
    moves = dict(part.partition("=")[::2] for part in rest.split(",") if part)
    if not separator or not moves or not all(moves.values()):
        raise ConfigurationError(f"a shock is NAME:BTC=-0.3,others=-0.4 and not {text!r}")
    return {"name": name, "others": moves.pop("others", "0"), "moves": moves}


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"equity {found['equity']} USD at {found['market_time']}"]
    if found["unpriced"]:
        lines.append(f"without a price, not moved: {', '.join(found['unpriced'])}")
    for result in found["results"]:
        share = 100 * float(result["loss_share"])
        lines.append(
            f"{result['shock']:<14} loses {float(result['loss']):.2f} USD ({share:.1f} %), "
            f"with stops {float(result['loss_with_stops']):.2f}"
        )
        lines += [
            f"    BREACHES {effect['name']}: {float(effect['after']):.3f} of {effect['limit']}"
            for effect in result["effects"]
            if effect["breached"]
        ]
    return lines

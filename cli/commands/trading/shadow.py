"""`aether shadow`: two decision paths on the same ideas, side by side."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from infra.runtime.settings import Settings


def shadow(
    account: Annotated[str, typer.Argument(help="Which account.")],
    beside: Annotated[str, typer.Argument(help="An account in simulation on the same ideas.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Newest ideas of each.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare what two accounts decided, traded and earned on the same ideas."""
    with ApiClient(Settings()) as api:
        path = f"/accounts/{segment(account)}/shadows/{segment(beside)}"
        found = api.get(path, limit=limit)
    typer.echo(json.dumps(found) if as_json else "\n".join(lines(found)))


def lines(found: dict[str, Any]) -> list[str]:
    """Return the report; ideas on which both did nothing are only counted."""
    counts = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in found["counts"].items() if n)
    profits = ", ".join(f"{found[n]} {found[f'{n}_profit']} USD" for n in ("account", "shadow"))
    shown = [f"{profits}; {counts or 'no ideas'}"]
    for idea in found["ideas"]:
        if idea["agreement"] != "both_refused":
            sides = f"{_side(idea['account'])} | {_side(idea['shadow'])}"
            shown.append(f"{idea['bar_start']} {idea['symbol']} {idea['agreement']}: {sides}")
    return shown


def _side(decided: dict[str, Any] | None) -> str:
    if decided is None:
        return "not seen"
    traded = decided["traded"]
    if traded is None:
        return f"refused ({', '.join(decided['failed']) or 'no reason'})"
    profit = "running" if traded["profit"] is None else f"{traded['profit']} USD"
    return f"{traded['quantity']} at {traded['entry_price']}, {profit}"

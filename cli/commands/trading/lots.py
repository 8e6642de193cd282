"""`aether lots`: what is held by lot, and what was realised of each, to be read or exported."""

import csv
import json
import sys
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.output.tables import Figures
from infra.runtime.settings import Settings

app = typer.Typer(help="Cost basis by lot, first in first out.", no_args_is_help=True)

Account = Annotated[str, typer.Argument(help="The account, for example company.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LOTS = ("asset", "quantity", "cost", "acquired_at", "movement_id", "kind")
GAINS = (
    *("asset", "quantity", "acquired_at", "acquired_by", "disposed_at", "disposed_by"),
    *("proceeds", "basis", "gain"),
)


@app.command("list")
def list_lots(account: Account, *, as_csv: Csv = False, as_json: Json = False) -> None:
    """Show what is held by lot, with what each cost; an unknown cost stays unknown."""
    _show(account, "lots", LOTS, as_csv=as_csv, as_json=as_json)


@app.command()
def gains(account: Account, *, as_csv: Csv = False, as_json: Json = False) -> None:
    """Show what each sale realised of each lot; of an unknown cost the gain is unknown."""
    _show(account, "gains", GAINS, as_csv=as_csv, as_json=as_json)


def _show(account: str, what: str, names: tuple[str, ...], *, as_csv: bool, as_json: bool) -> None:
    with ApiClient(Settings()) as api:
        rows: list[dict[str, Any]] = api.get(f"/accounts/{segment(account)}/{what}")
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([["" if row[n] is None else row[n] for n in names] for row in rows])
        return
    figures = frozenset({"quantity", "cost", "proceeds", "basis", "gain"})
    table = Figures(names, right=figures)
    for row in rows:
        table.add(*("not known" if row[name] is None else str(row[name]) for name in names))
    table.show()

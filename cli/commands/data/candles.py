"""`aether data candles`: bars of the market that is traded, as the record has them."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.client import ApiClient
from cli.output.tables import Figures
from infra.runtime.settings import Settings

COLUMNS = ("start", "open", "high", "low", "close", "volume", "trades")


def candles(
    pair: Annotated[str, typer.Argument(help="Like BTC/USD.")],
    *,
    interval: Annotated[int, typer.Option(min=1, help="Minutes of a bar.")] = 60,
    begin: Annotated[
        datetime | None, typer.Option("--from", help="First start of a bar (UTC).")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Not included (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Newest bars at most.")] = 24,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List closed bars of a pair, newest first; one that is absent had no trades, or is unknown."""
    span = {
        name: moment.replace(tzinfo=UTC).isoformat()
        for name, moment in (("begin", begin), ("end", end))
        if moment is not None
    }
    with ApiClient(Settings()) as api:
        found = api.get(
            "/market/candles", symbol=pair, interval_minutes=interval, limit=limit, **span
        )
    if as_json:
        typer.echo(json.dumps(found))
        return
    if not found:
        typer.echo(f"the record has no bars of {interval} minutes of {pair} in this span")
        return
    table = Figures(COLUMNS, right=frozenset(COLUMNS[1:]))
    for row in found:
        start = datetime.fromisoformat(row["start"])
        table.add(f"{start:%Y-%m-%d %H:%M}", *(str(row[name]) for name in COLUMNS[1:]))
    table.show()

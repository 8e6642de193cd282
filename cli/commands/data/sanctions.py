"""`aether data sanctions`: read a published list, and ask for what it names to leave."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient
from cli.commands.data.record import history_record
from infra.runtime.settings import Settings


def sanctions(
    source: Annotated[str, typer.Argument(help="OFAC's sdn.csv or sdn.xml: a file or address.")],
    *,
    propose: Annotated[bool, typer.Option(help="Ask for the change of the universe.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read a list of sanctions; pairs of assets that it names are asked to leave the universe.

    The change counts when a second person approves it: aether universe approve NUMBER.
    """
    from activities.adapters.postgres.governance.sanctions_lists import save_list
    from activities.adapters.sanctions.assets import assets_named
    from activities.adapters.sanctions.sdn import read_list

    settings = Settings()
    found = read_list(source)
    with ApiClient(settings) as api:
        allowed = [p["symbol"] for p in api.get("/universe")["pairs"] if p["standing"] == "allowed"]
        named = assets_named(found.entries, (symbol.partition("/")[0] for symbol in allowed))
        with history_record(settings) as record:
            texts = {asset: f"{entry.number} {entry.name}" for asset, entry in named.items()}
            read = (found.digest, source, found.published, len(found.entries))
            save_list(record.connection, *read, texts, record.clock())
        leaving = sorted(symbol for symbol in allowed if symbol.partition("/")[0] in named)
        change = _asked(api, found.digest, leaving, texts) if leaving and propose else None
    told = {"entries": len(found.entries), "published": found.published, "named": texts}
    told |= {"leaving": leaving, "change": change}
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{len(found.entries):,} entries, of {found.published or 'no stated date'}")
    for asset, words in sorted(texts.items()):
        typer.echo(f"named: {asset}, entry {words}")
    if change is not None:
        typer.echo(f"change {change['number']} waits for a second person: aether universe approve")
    elif not leaving:
        typer.echo("it names no asset of the universe")


def _asked(api: ApiClient, digest: str, leaving: list[str], named: dict[str, str]) -> Any:
    entries = "; ".join(f"{asset}: entry {words}" for asset, words in sorted(named.items()))
    reason = f"sanctions list {digest[:12]} names {entries}"[:500]
    body = {"reason": reason, "joins": [], "leaves": leaving}
    # By the list's hash: the same list asks once.
    return api.post("/universe/changes", body, f"sanctions-{digest[:32]}")

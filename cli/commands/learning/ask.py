"""`aether ask`: what the record says to a question about trades, risk and models."""

import json
from typing import Annotated

import typer

from cli.client import ApiClient, segment
from infra.runtime.settings import Settings


def ask(
    question: Annotated[str, typer.Argument(help="In English, for example: what is open")],
    account: Annotated[str, typer.Option("--account", help="Whose record.")] = "company",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Answer a question from the record, with the sources of the answer; it is kept."""
    with ApiClient(Settings()) as api:
        body = {"question": question}
        found = api.post(f"/accounts/{segment(account)}/questions", body, None)
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(found["answer"])
    for source in found["sources"]:
        keys = "; ".join(key for key in source["keys"] if key)
        typer.echo(
            f"  from {source['tables']}: {source['rows']} rows" + (f" ({keys})" if keys else "")
        )

"""`aether witness`: be the second machine that watches the record grow."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra.runtime.note_keys import verifier_of

app = typer.Typer(help="A witness of the record, on a machine of its own.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `serve` a word of its own."""


@app.command()
def serve(
    directory: Annotated[Path, typer.Argument(help="Its memory and its signing key.")],
    *,
    log_key: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="log.key of the platform it watches."),
    ],
    host: Annotated[str, typer.Option(help="Where it listens; put TLS before it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 7480,
) -> None:
    """Cosign checkpoints that grow from those before; prints the key for AETHER_WITNESS_KEY."""
    from activities.adapters.record.witness_service import serve_witness

    log = verifier_of(log_key.read_text())
    serve_witness(directory.resolve(), log, host, port, lambda: datetime.now(UTC), typer.echo)

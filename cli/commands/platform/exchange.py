"""``aether exchange``: run the exchange simulator alone."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The exchange simulator: Kraken's protocol over a simulated market.")


@app.callback()
def exchange() -> None:
    """Run the exchange simulator alone."""


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port on loopback; 0 chooses a free one.")] = 0,
    market: Annotated[
        str, typer.Option(help="generated, replay:PATH[,PATH…] or kraken.", envvar="MARKET")
    ] = "generated",
    speed: Annotated[
        str, typer.Option(help="Market time per wall time, or lockstep.", envvar="SPEED")
    ] = "1",
    state: Annotated[
        Path | None, typer.Option(help="Directory that keeps the exchange over restarts.")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="Keys file (JSON, mode 600); generated when not given.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 20260101,
    bar_minutes: Annotated[int, typer.Option(help="Bar length of a generated market.")] = 1,
    warmup_bars: Annotated[int, typer.Option(help="Bars of history of a new market.")] = 240,
) -> None:
    """Listen and print one JSON line with the addresses and the keys."""
    arguments = [sys.executable, "-m", "workers.exchange"]
    values = {
        "--port": port,
        "--market": market,
        "--speed": speed or "1",
        "--seed": seed,
        "--bar-minutes": bar_minutes,
        "--warmup-bars": warmup_bars,
        "--state": state,
        "--accounts": accounts,
    }
    for name, value in values.items():
        if value is not None:
            arguments += [name, str(value)]
    # The command line may not import the workers; this process becomes the exchange's instead.
    os.execv(sys.executable, arguments)  # noqa: S606 - our own interpreter and module

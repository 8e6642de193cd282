"""`aether pages`: build and check the pages of the control room."""

import sys
from typing import Annotated

import typer

from infra.pages import build as building
from infra.pages import checks
from infra.pages.node import attached, run
from infra.pages.places import ROOT

app = typer.Typer(no_args_is_help=True, help="Build and check the pages of the control room.")


@app.command()
def build() -> None:
    """Build the pages from `ui/`, unless they are current."""
    done = building.build(_tell)
    _tell("Pages built." if done else "The pages are current.")


@app.command()
def check() -> None:
    """Check the types of the pages, and that their API client is that of the present API."""
    for line in checks.check():
        _tell(line)


@app.command()
def test() -> None:
    """Run the tests of the components, and check the size of the first load."""
    for line in checks.test(_tell):
        _tell(line)


@app.command()
def api() -> None:
    """Write the API's description and the client's types anew, after a change of the API."""
    # The command line knows no API: it is asked for its description as a program.
    command = [sys.executable, "-m", "api.http.description", str(checks.SNAPSHOT)]
    run(command, "the API's description", folder=ROOT)
    checks.write_types()
    _tell("Written: ui/api.json, ui/src/api/schema.ts")


@app.command()
def gallery(
    port: Annotated[int, typer.Option(min=1024, max=65535, help="On loopback.")] = 7480,
) -> None:
    """Show every shared component in its states, to whoever works on the pages; Ctrl-C ends it."""
    _tell(f"http://127.0.0.1:{port}/builder/gallery.html")
    words = ("--host", "127.0.0.1", "--port", str(port), "--strictPort")
    raise typer.Exit(attached("vite", *words))


def _tell(line: str) -> None:
    typer.echo(line, err=True)

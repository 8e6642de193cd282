"""`aether run|up|down|status|logs|fetch`: the embedded stack from the terminal."""

import json
import signal
import time
from types import FrameType
from typing import Annotated, NoReturn

import typer

from cli.output.overview import Overview, gather
from cli.output.waiting import WaitingTold
from infra.runtime.errors import ConfigurationError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack import temporal_server
from infra.stack.embedded import Stack, Started
from infra.stack.postgres_binaries import embedded_cluster

READY_SECONDS = 60.0
FIRST_LOOK_SECONDS = 1.5

Without = Annotated[
    list[str] | None, typer.Option("--without", help="Leave this process stopped; repeatable.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def run() -> None:
    """Start the platform, show the accounts, and stop everything in order on Ctrl-C."""
    from cli.output.dashboard import show_until_interrupted

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    stack = Stack(Settings())
    try:
        _start(stack, ())
        show_until_interrupted(stack)
    except KeyboardInterrupt:
        # A second Ctrl-C must not cut the orderly stop short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _tell("Stopping: workers, API, exchange, Temporal, PostgreSQL …")
        stack.stop()
        _tell(f"Stopped. The next start goes on from {stack.state.home}")


def up(*, without: Without = None) -> None:
    """Start the platform in the background; it goes on until `aether down`."""
    stack = Stack(Settings())
    _start(stack, without or ())


def down() -> None:
    """Stop everything in order."""
    stack = Stack(Settings())
    _tell("Stopped." if stack.stop() else "Nothing was running.")


def status(*, as_json: Json = False) -> None:
    """Say what runs, how the accounts do and what is measured; exit code 1 unless all is ready."""
    from cli.output import measurements, measurements_text

    stack = Stack(Settings())
    overview = gather(stack)
    measured = measurements.measure(stack.settings)
    if as_json:
        typer.echo(json.dumps(overview.document() | {"measurements": measured.document()}))
    else:
        typer.echo("\n".join([overview.text(), *measurements_text.lines(measured)]))
    raise typer.Exit(0 if overview.is_ready else 1)


def logs(
    process: Annotated[str, typer.Argument(help="Name of a process, as in `aether status`.")],
    lines: Annotated[int, typer.Option("--lines", "-n", min=1)] = 50,
) -> None:
    """Print the newest lines of a process's log."""
    directory = StateDirectory(Settings().home).logs
    path = directory / f"{process}.log"
    if not path.is_file():
        names = ", ".join(sorted(file.stem for file in directory.glob("*.log"))) or "none yet"
        raise ConfigurationError(f"there is no log of {process!r}; there are: {names}")
    with path.open(errors="replace") as log:
        typer.echo("".join(log.readlines()[-lines:]), nl=False)


def fetch() -> None:
    """Find, download or build what the stack needs beside Python, without starting anything."""
    program = temporal_server.find_or_provide(StateDirectory(Settings().home), _tell)
    _tell(f"Temporal server: {program}")


def _start(stack: Stack, without: list[str] | tuple[str, ...]) -> Started:
    settings = stack.settings
    _tell(f"Market {settings.market} at speed {settings.market_speed}, state in {settings.home}")
    started = stack.start(_tell, without)
    if not started.was_running:
        # Nothing can be ready sooner, and asking would take the cores from what loads.
        time.sleep(FIRST_LOOK_SECONDS)
    # Imported only now: what is started comes first.
    from infra.stack.readiness import wait_until_ready

    if started.was_running:
        _tell("The stack was running already.")
    waiting = WaitingTold(_tell)
    lacking = wait_until_ready(stack.settings, stack.supervisor, READY_SECONDS, waiting)
    for name, why in lacking.items():
        _tell(f"{name} is not ready after {READY_SECONDS:.0f} s and is left to recover: {why}")
    _renew_own_token(settings)
    if started.first:
        token = installation_secrets(stack.settings).administrator_token()
        _tell(f"The machine's own token, for the terminal (aether admin token): {token}")
    _tell_set_up_link(settings)
    for line in Overview.addresses_text(settings):
        _tell(line)
    _build_pages()
    return started


def _build_pages() -> None:
    # After the start, which they must not slow down; the API says at / how far they are.
    from infra.pages.build import build_beside

    if build_beside():
        _tell("The pages of the control room are being built (half a minute, this once).")


def _renew_own_token(settings: Settings) -> None:
    # One elsewhere is prepared, and with it the token renewed, at each start.
    if settings.database_url is not None:
        return
    import psycopg

    from infra.stack.own_token import renew_own_token

    try:
        if renew_own_token(embedded_cluster(settings.home).url("aether_admin", "aether")):
            _tell("The administrator token of this machine was renewed for 90 days.")
    except psycopg.Error as error:
        _tell(f"The administrator token could not be looked after: {' '.join(str(error).split())}")


def _tell_set_up_link(settings: Settings) -> None:
    """Print the link for the first director while there is none; an earlier link ends with it."""
    import hashlib
    import secrets

    import psycopg

    from infra.runtime.database.connections import Role, database_url

    link = secrets.token_urlsafe(32)
    values = [hashlib.sha256(link.encode()).hexdigest()]
    try:
        with psycopg.connect(database_url(settings, Role.ADMIN), connect_timeout=5) as connection:
            made = connection.execute("SELECT make_first_link(%s, now(), 'aether')", values)
            found = made.fetchone()
    except psycopg.Error as error:
        _tell(f"The set-up link could not be made: {' '.join(str(error).split())}")
        return
    if found is not None and found[0]:
        _tell("Set up the first director, on this machine within 15 minutes:")
        _tell(f"  http://localhost:{settings.api_port}/set-up#{link}")


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt

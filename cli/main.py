"""``aether``: one command whose parts are imported only when they are asked for."""

import os
import sys
from importlib import import_module
from typing import NoReturn

import typer
from pydantic import ValidationError

from infra.runtime.errors import PlatformError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

EXIT_REFUSED = 2

# Commands with commands below them: the module that holds their ``app``.
GROUPS = {
    "trade": "cli.commands.trading.trade",
    "capital": "cli.commands.trading.capital",
    "lots": "cli.commands.trading.lots",
    "drawdown": "cli.commands.trading.drawdown",
    "kill-switch": "cli.commands.governance.kill_switch",
    "reconcile": "cli.commands.platform.reconcile",
    "audit": "cli.commands.governance.audit",
    "witness": "cli.commands.governance.witness",
    "notify": "cli.commands.governance.notify",
    "bench": "cli.bench.command",
    "exchange": "cli.commands.platform.exchange",
    "process": "cli.commands.platform.process",
    "freeze": "cli.commands.governance.freeze",
    "approvals": "cli.commands.governance.approvals",
    "hedge": "cli.commands.trading.hedge",
    "universe": "cli.commands.governance.universe",
    "stress": "cli.commands.trading.stress",
    "mode": "cli.commands.governance.mode",
    "keys": "cli.commands.governance.keys",
    "secrets": "cli.commands.platform.secret_store",
    "settings": "cli.commands.governance.settings",
    "learn": "cli.commands.learning.learn",
    "data": "cli.commands.data.command",
    "admin": "cli.commands.platform.admin",
    "pages": "cli.pages",
    "backup": "cli.commands.platform.backup",
    "events": "cli.commands.platform.events",
}
# Single commands: the module that holds the function of the same name.
COMMANDS = {
    "verify": "cli.commands.platform.verify",
    "ask": "cli.commands.learning.ask",
    "upgrade": "cli.commands.platform.upgrade",
    "shadow": "cli.commands.trading.shadow",
    "limits": "cli.commands.trading.limits",
    "backtest": "cli.commands.backtest",
    "strategies": "cli.commands.strategies",
    **dict.fromkeys(("portfolio", "days"), "cli.commands.trading.portfolio"),
    **dict.fromkeys(("sign_in", "sign_out", "whoami"), "cli.session"),
    **dict.fromkeys(
        ("run", "up", "down", "status", "logs", "fetch"), "cli.commands.platform.stack"
    ),
}


def program() -> None:
    """Be the program ``aether``: run the command line, and end without going through the threads.

    Those of Temporal's client call into the interpreter, and abort the process when that is half
    taken down.
    """
    try:
        main()
    except SystemExit as end:
        if "temporalio" in sys.modules and isinstance(end.code, int | None):
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(end.code or 0)
        raise


def main() -> None:
    """Run the command line; what a person can mend ends in one line and exit code 2."""
    try:
        _find_running_ports()
        build_app(sys.argv[1:])()
    except PlatformError as error:
        _refuse(str(error))
    except ValidationError as error:
        _refuse(_in_one_line(error))


def build_app(arguments: list[str]) -> typer.Typer:
    """Return the command line with the commands that the arguments can mean."""
    app = typer.Typer(
        name="aether",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_aether)
    asked = next((word for word in arguments if not word.startswith("-")), None)
    known = asked in GROUPS or (asked or "").replace("-", "_") in COMMANDS
    for name, module in COMMANDS.items():
        word = name.replace("_", "-")
        if asked == word or not known:
            app.command(word)(getattr(import_module(module), name))
    for name, module in GROUPS.items():
        if asked == name or not known:
            app.add_typer(import_module(module).app, name=name)
    return app


def _aether() -> None:
    """Autonomous, durable trading on Kraken spot."""


def _find_running_ports() -> None:
    """Let every command find the stack of this state directory without repeating its ports."""
    if not os.environ.get("AETHER_PORT_BASE"):
        manifest = StateDirectory(Settings().home).manifest()
        if manifest is not None:
            os.environ["AETHER_PORT_BASE"] = str(manifest.port_base)


def _in_one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    variable = where if where.isupper() else f"AETHER_{where.upper()}"
    return f"{variable}: {first['msg'].removeprefix('Value error, ')}"


def _refuse(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    sys.exit(EXIT_REFUSED)

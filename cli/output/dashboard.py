"""The live table of `aether run`: accounts, market, processes and degraded modes, once a second."""

import sys
import time
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli.output.overview import Overview, account_text, gather
from cli.output.tables import Figures
from infra.runtime.errors import NotRunningError
from infra.stack.embedded import Stack

REFRESH_SECONDS = 1.0
PLAIN_SECONDS = 15.0


def show_until_interrupted(stack: Stack) -> None:
    """Show how the platform does until Ctrl-C (KeyboardInterrupt) or until it was stopped."""
    console = Console()
    if not console.is_terminal:
        _tell_until_interrupted(stack)
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while stack.supervisor.is_wanted:
            overview = _gathered(stack)
            if overview is not None:
                live.update(render(overview, console.width))
            time.sleep(REFRESH_SECONDS)
    console.print("The stack was stopped from elsewhere.")


def render(overview: Overview, width: int) -> RenderableType:
    """Return the table of accounts with what surrounds it."""
    parts: list[RenderableType] = [_header(overview), _accounts(overview, width)]
    parts += [
        Text(f"{process.name} is not ready: {process.lacking}", style="yellow")
        for process in overview.processes
        if not process.ready
    ]
    if overview.unavailable:
        parts.append(Text(f"no figures: {overview.unavailable}", style="yellow"))
    modes = overview.figures.get("degraded_modes", [])
    parts += [Text(f"degraded mode: {words}", style="dim") for words in modes]
    parts += [Text(line) for line in Overview.addresses_text(overview.settings)]
    parts.append(Text("Ctrl-C stops everything in order.", style="dim"))
    return Group(*parts)


def _gathered(stack: Stack) -> Overview | None:
    try:
        return gather(stack)
    except NotRunningError:
        # The supervisor was killed; its keeper is starting it again.
        return None


def _tell_until_interrupted(stack: Stack) -> None:
    while stack.supervisor.is_wanted:
        overview = _gathered(stack)
        if overview is not None:
            lines = [account_text(account) for account in overview.figures.get("accounts", [])]
            lines += [
                f"{p.name} is not ready: {p.lacking}" for p in overview.processes if p.lacking
            ]
            sys.stdout.write("\n".join(lines) + "\n")
            sys.stdout.flush()
        until = time.monotonic() + PLAIN_SECONDS
        while time.monotonic() < until and stack.supervisor.is_wanted:
            time.sleep(REFRESH_SECONDS)


def _header(overview: Overview) -> Text:
    market = overview.figures.get("market", {})
    clock = str(market.get("market_time") or "not started")[:19].replace("T", " ")
    return Text.assemble(
        ("Aether", "bold"),
        f"  market {overview.settings.market}, speed {overview.settings.market_speed}, "
        f"market clock {clock}",
    )


def _accounts(overview: Overview, width: int) -> RenderableType:
    amounts = ("Equity USD", "Cash USD", "Day", "Open", "Closed")
    table = Figures(("Account", "Mode", "State", *amounts, "Halts"), right=frozenset(amounts))
    for account in overview.figures.get("accounts", []):
        table.add(*_row(account))
    return table.fitting(width)


def _row(account: dict[str, Any]) -> tuple[str | Text, ...]:
    halts = ", ".join(account["halts"])
    return (
        account["account"],
        account["mode"],
        account["state"],
        f"{float(account['equity']):,.2f}",
        f"{float(account['cash']):,.2f}",
        _share(account["day_pnl_share"]),
        str(account["open_trades"]),
        str(account["closed_trades"]),
        Text(halts or "-", style="red" if halts else ""),
    )


def _share(share: str | None) -> Text:
    if share is None:
        return Text("-")
    value = float(share)
    return Text(f"{value:+.2%}", style="red" if value < 0 else "green")

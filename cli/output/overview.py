"""What runs, and how the accounts do: gathered from the supervisor, the processes and the API."""

from dataclasses import asdict, dataclass, field
from typing import Any

from infra.runtime.errors import PlatformError
from infra.runtime.settings import Settings
from infra.stack.embedded import Stack
from infra.stack.programs.supervision import ProcessStatus


@dataclass(frozen=True, slots=True)
class ProcessLine:
    """A process as supervised and as it answers. ``lacking`` is empty when it is ready."""

    name: str
    state: str
    ready: bool
    lacking: str
    pid: int
    up_seconds: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The platform at a glance.

    Attributes:
        settings: those that the stack runs with.
        processes: every supervised process; the supervisor's keeper among them.
        figures: what ``GET /api/v1/status`` answers, empty while the API cannot answer.
        unavailable: why there are no figures, "" when there are.
    """

    settings: Settings
    processes: list[ProcessLine]
    figures: dict[str, Any] = field(default_factory=dict)
    unavailable: str = ""

    @property
    def is_ready(self) -> bool:
        """Tell whether every process is ready and the figures are there."""
        return not self.unavailable and all(process.ready for process in self.processes)

    def document(self) -> dict[str, Any]:
        """Return the overview for ``--json``."""
        return {
            "running": True,
            "ready": self.is_ready,
            "home": str(self.settings.home),
            "addresses": self.addresses(self.settings),
            "processes": [asdict(process) for process in self.processes],
            "accounts": self.figures.get("accounts", []),
            "market": self.figures.get("market", {}),
            "degraded_modes": self.figures.get("degraded_modes", []),
            "unavailable": self.unavailable,
        }

    def text(self) -> str:
        """Return the overview for a terminal without a live table."""
        width = max((len(process.name) for process in self.processes), default=0)
        lines = [
            f"{process.name:<{width}} {process.state:<9} "
            + ("ready" if process.ready else f"not ready: {process.lacking}")
            for process in self.processes
        ]
        lines += [account_text(account) for account in self.figures.get("accounts", [])]
        if self.unavailable:
            lines.append(f"no figures: {self.unavailable}")
        lines += [f"degraded mode: {words}" for words in self.figures.get("degraded_modes", [])]
        return "\n".join([*lines, *self.addresses_text(self.settings)])

    @staticmethod
    def addresses(settings: Settings) -> dict[str, str]:
        """Return where people and programs find the platform."""
        return {
            "control_room": f"http://localhost:{settings.api_port}/",
            "api": f"{settings.api_url}/api/v1",
            "api_docs": f"{settings.api_url}/docs",
            "temporal": settings.temporal_target,
            "temporal_ui": f"{settings.temporal_ui_url}/namespaces/{settings.temporal_namespace}",
            "exchange": settings.exchange_url,
        }

    @classmethod
    def addresses_text(cls, settings: Settings) -> list[str]:
        """Return the addresses that people open."""
        addresses = cls.addresses(settings)
        return [
            f"Control room:      {addresses['control_room']} (sign in: docs/people.md)",
            f"API documentation: {addresses['api_docs']}",
            f"Temporal web UI:   {addresses['temporal_ui']} (aether admin temporal-password)",
        ]


def account_text(account: dict[str, Any]) -> str:
    """Return an account's figures in one line."""
    halts = ", ".join(account["halts"]) or "none"
    used = account.get("nearest_limit_used")
    near = f", nearest limit: {account['nearest_limit']}" if account.get("nearest_limit") else ""
    near += f" at {float(used):.0%}" if used is not None else ""
    valued = f" at {account['valued_at']}" if account.get("valued_at") else ""
    return (
        f"{account['account']} ({account['mode']}): {account['state']}, "
        f"equity {float(account['equity']):,.2f} USD{valued}, "
        f"open trades {account['open_trades']}, "
        f"closed {account['closed_trades']}, halts: {halts}{near}"
    )


def gather(stack: Stack) -> Overview:
    """Ask the supervisor, every process and the API.

    Raises:
        NotRunningError: no supervisor answers.
    """
    # Imported when asked for: a start must come to the supervisor first.
    from cli.client import ApiClient
    from infra.stack.readiness import check_all

    processes = stack.supervisor.processes()
    lacking = check_all(stack.settings, processes)
    lines = [_line(process, lacking[process.name]) for process in processes]
    try:
        with ApiClient(stack.settings) as api:
            figures = api.get("/status")
    except PlatformError as error:
        return Overview(stack.settings, lines, unavailable=str(error))
    return Overview(stack.settings, lines, figures)


def _line(process: ProcessStatus, lacking: str) -> ProcessLine:
    return ProcessLine(
        name=process.name,
        state=process.state,
        ready=not lacking,
        lacking=lacking,
        pid=process.pid,
        up_seconds=process.up_seconds,
    )

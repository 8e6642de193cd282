"""The loopback ports of a stack: which it needs, and whether they are free."""

import socket

import psutil

from infra.runtime.errors import PortInUseError
from infra.runtime.settings import Settings


def needed(settings: Settings) -> dict[str, int]:
    """Return the ports of a stack by the name of what listens there."""
    return {
        "the API": settings.api_port,
        "Temporal": settings.temporal_port,
        "Temporal's web UI": settings.temporal_ui_port,
        "the exchange": settings.exchange_port,
        "the trading worker": settings.trading_metrics_port,
        "the market worker": settings.market_metrics_port,
        "Temporal's HTTP API": settings.temporal_http_port,
        "Temporal's metrics": settings.temporal_metrics_port,
        **({"the registry of models": settings.registry_port} if settings.runs_registry else {}),
        **{f"the process {name}": settings.health_port(name) for name in beside(settings)},
    }


def beside(settings: Settings) -> list[str]:
    """Return the processes that serve nothing but their health, as far as they run."""
    wanted = {
        "notifications": True,
        "research": True,
        "learning": settings.learning,
        "events": settings.events_url is not None,
        "backups": settings.backup_schedule is not None,
    }
    return [name for name, on in wanted.items() if on]


def require_free(settings: Settings) -> None:
    """Check that nothing listens where the stack will.

    Raises:
        PortInUseError: names the port, what needs it and, where it can be told, who has it.
    """
    for name, port in needed(settings).items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise PortInUseError(
                    f"port {port}, needed for {name}, is in use{_by_whom(port)}. Stop what uses "
                    "it, or choose other ports with AETHER_PORT_BASE"
                ) from None


def _by_whom(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if connection.status == psutil.CONN_LISTEN and local and local.port == port:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
    return ""

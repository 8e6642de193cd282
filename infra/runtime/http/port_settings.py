"""Which loopback port each process of an installation has."""

from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings

HEALTH_OFFSETS: Final = {
    "notifications": 9,
    "research": 10,
    "learning": 11,
    "events": 12,
    "backups": 13,
}
"""Behind the first port: health and metrics of the processes that serve nothing else."""


class PortSettings(BaseSettings):
    """The ports, all of them behind one that is chosen.

    Attributes:
        port_base: first of fourteen consecutive loopback ports (``AETHER_PORT_BASE``).
    """

    port_base: int = Field(default=7400, ge=1024, le=65000)

    @property
    def api_port(self) -> int:
        """Return the port of the API."""
        return self.port_base

    @property
    def temporal_port(self) -> int:
        """Return the port of Temporal's frontend."""
        return self.port_base + 1

    @property
    def temporal_ui_port(self) -> int:
        """Return the port of Temporal's web UI."""
        return self.port_base + 2

    @property
    def exchange_port(self) -> int:
        """Return the port of the exchange simulator (REST, WebSocket, control, CoinGecko)."""
        return self.port_base + 3

    @property
    def trading_metrics_port(self) -> int:
        """Return the port of the trading worker's health and metrics."""
        return self.port_base + 4

    @property
    def market_metrics_port(self) -> int:
        """Return the port of the market worker's health and metrics."""
        return self.port_base + 5

    @property
    def temporal_http_port(self) -> int:
        """Return the port of Temporal's HTTP API, fixed so that two stacks cannot collide."""
        return self.port_base + 6

    @property
    def temporal_metrics_port(self) -> int:
        """Return the port of Temporal's own metrics."""
        return self.port_base + 7

    @property
    def registry_port(self) -> int:
        """Return the port of the registry of models (MLflow), which runs only with learning."""
        return self.port_base + 8

    def health_port(self, process: str) -> int:
        """Return the port of health and metrics of a process in ``HEALTH_OFFSETS``."""
        return self.port_base + HEALTH_OFFSETS[process]

"""One connection of the private WebSocket: what was asked on it and what it has told so far."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from activities.adapters.kraken.exchange_clock import now
from activities.ports import ExchangeUnavailableError

CHANNELS = ("executions", "balances")
SNAPSHOT_SECONDS = 3.0
"""Until a subscription must have been answered by its snapshot."""


@dataclass
class PrivateConnection:
    """What one connection has told so far: last sequence per channel and awaited snapshots.

    ``broken`` channels have lost a message and are not subscribed again yet, by reason.
    """

    token: str
    gap_reason: str
    sequences: dict[str, int] = field(default_factory=dict)
    awaited: dict[str, float] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    request_number: int = 0
    pongs: int = 0
    pinged: tuple[int, datetime] | None = None
    broken: dict[str, str] = field(default_factory=dict)

    def ping(self) -> dict[str, Any]:
        """Return a request whose answer carries the time at which the exchange sent it."""
        self.request_number += 1
        self.pinged = (self.request_number, now())
        return {"method": "ping", "req_id": self.request_number}

    def subscribe(self, channel: str) -> dict[str, Any]:
        """Return the request for a channel; its next message must be a snapshot."""
        self.sequences.pop(channel, None)
        self.awaited[channel] = time.monotonic()
        options: dict[str, Any] = (
            {"snap_orders": True, "snap_trades": True, "order_status": True, "ratecounter": False}
            if channel == "executions"
            else {"snapshot": True}
        )
        self.request_number += 1
        return {
            "method": "subscribe",
            "params": {"channel": channel, "token": self.token, **options},
            "req_id": self.request_number,
        }

    def require_snapshots(self) -> None:
        """Give the connection up when a snapshot does not come: until it has, nothing is told.

        Raises:
            ExchangeUnavailableError: one has been awaited for too long.
        """
        late = time.monotonic() - SNAPSHOT_SECONDS
        for channel, since in self.awaited.items():
            if since <= late:
                raise ExchangeUnavailableError(f"no snapshot of {channel} came")

    @property
    def is_whole(self) -> bool:
        """Tell whether every channel tells everything."""
        return not self.awaited and not self.broken

    def subscribe_again(self, channel: str) -> None:
        """Begin a broken channel anew."""
        self.gap_reason = self.broken.pop(channel)
        self.request_number += 1
        self.requests.append(
            {
                "method": "unsubscribe",
                "params": {"channel": channel, "token": self.token},
                "req_id": self.request_number,
            }
        )
        self.requests.append(self.subscribe(channel))

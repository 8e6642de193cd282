"""One connection of the private WebSocket: what was asked on it and what it has told so far."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from activities import metrics
from activities.adapters.kraken.errors import UNREADABLE, Operation, classify
from activities.adapters.kraken.exchange_clock import now
from activities.adapters.kraken.feed.rows import wire_time
from activities.ports.exchange_errors import ExchangeUnavailableError

_log = logging.getLogger(__name__)

SNAPSHOT_TRADES = 50
"""Executions that a snapshot names at most (§14.1)."""
CHANNELS = ("executions", "balances")
SNAPSHOT_SECONDS = 3.0
"""Until a subscription must have been answered by its snapshot."""


_STALE_TOKEN = ("ESession:Invalid session", "EAPI:Invalid token")


class StaleTokenError(Exception):
    """The exchange no longer takes the token: connect again with a new one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How far a snapshot of executions reaches.

    Attributes:
        stretch: the unbroken stretch that began with it.
        taken_at: when it was received, in protocol time.
        oldest: market time of its oldest execution; None when it names all there ever were.
        open_orders: ids of the orders that it names as open.
    """

    stretch: int
    taken_at: datetime
    oldest: datetime | None
    open_orders: frozenset[str] = frozenset()


def snapshot_of(entries: Sequence[Mapping[str, Any]], stretch: int) -> Snapshot:
    """Return how far a snapshot of executions reaches that a stretch begins with."""
    times = [wire_time(e["timestamp"]) for e in entries if e.get("exec_type") == "trade"]
    oldest = min(times) if len(times) >= SNAPSHOT_TRADES else None
    resting = frozenset(str(e["order_id"]) for e in entries if e.get("exec_type") != "trade")
    return Snapshot(stretch, now(), oldest, resting)


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
    confirming: dict[int, asyncio.Event] = field(default_factory=dict)
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


def note_refusal(message: Mapping[str, Any]) -> None:
    """Take the refusal of a request.

    Raises:
        StaleTokenError: the token is no longer taken.
        ExchangeError: a subscription is refused, by the class of the refusal.
    """
    error = str(message.get("error", ""))
    if error.startswith(_STALE_TOKEN):
        raise StaleTokenError(error)
    if error == "Already subscribed" or message.get("method") != "subscribe":
        _log.warning("the exchange refused %s: %s", message.get("method"), error)
        return
    raise classify(error, Operation.READ)


def message_of(frame: bytes) -> dict[str, Any] | None:
    """Return a message, None for what is none."""
    try:
        message = json.loads(frame, parse_float=Decimal)
    except ValueError:
        _log.info("ignored a frame that is not JSON: %.100r", frame)
        return None
    return message if isinstance(message, dict) else None


def measure_delivery(stamp: str, time_sent: Any) -> None:
    """Measure how long a message was on its way; an unreadable stamp costs a figure, no more."""
    with suppress(*UNREADABLE):
        metrics.observe_delivery(stamp, wire_time(time_sent))

"""One WebSocket v2 connection: status first, heartbeat each second, ping, ordered sending, faults.

Both the public and the private endpoint are built on it. Frames are sent in the order in which
``send`` and ``publish`` were called; a subscriber that does not read is cut off.
"""

import asyncio
import re
import secrets
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

from workers.exchange.clock import to_rfc3339
from workers.exchange.faults import FaultRule, Faults
from workers.exchange.wire import dump

HEARTBEAT_SECONDS = 1.0
MAXIMUM_BACKLOG = 100_000
CUT = b""
"""Stands in the queue where a scripted fault cuts the line: what came before still arrives."""
HEARTBEAT = b'{"channel":"heartbeat"}'


class Connection:
    """A client's socket. ``plane`` is ``public`` or ``private``."""

    def __init__(
        self, plane: str, socket: web.WebSocketResponse, faults: Faults, transport: Any
    ) -> None:
        self.plane = plane
        self.identity = secrets.randbits(64)
        self.subscribed = False
        self.account: str | None = None
        self._socket = socket
        self._faults = faults
        self._transport = transport
        self._queue: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._held: dict[str, bytes] = {}

    def send(self, frame: bytes) -> None:
        """Queue a frame that no stream fault may touch: an answer, a pong."""
        self._queue.append(frame)
        self._wake.set()
        if len(self._queue) > MAXIMUM_BACKLOG:
            self.abort()

    def publish(self, frame: bytes, event: Mapping[str, Any]) -> None:
        """Queue a channel's frame, letting the scripted faults strike it.

        ``event`` names at least ``channel`` and ``type``; also ``pair``, ``exec_type``, ``account``
        where they apply.
        """
        if not self._faults.rules and not self._held:
            self.send(frame)
            return
        rules = self._faults.stream({**event, "plane": self.plane})
        self._strike(frame, str(event.get("channel")), {rule.kind: rule for rule in rules})

    def _strike(self, frame: bytes, channel: str, rules: dict[str, FaultRule]) -> None:
        if "socket_drop" in rules:
            self.send(CUT)
            return
        if "silence" in rules or "drop_message" in rules:
            return
        if "bad_checksum" in rules:
            frame = _with_wrong_checksum(frame)
        if "reorder_message" in rules:
            self._held[channel] = frame
            return
        delayed = rules.get("delay_message")
        if delayed is not None:
            seconds = float(delayed.params.get("seconds", 1.0))
            asyncio.get_running_loop().call_later(seconds, self.send, frame)
            return
        self.send(frame)
        if "duplicate_message" in rules:
            self.send(frame)
        held = self._held.pop(channel, None)
        if held is not None:
            self.send(held)

    def abort(self) -> None:
        """Cut the transport without a closing handshake, as a dropped line does."""
        if self._transport is not None:
            self._transport.abort()

    async def write(self) -> None:
        """Send what is queued until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                frame = self._queue.popleft()
                if frame is CUT:
                    self.abort()
                    return
                await self._socket.send_frame(frame, WSMsgType.TEXT)

    async def beat(self) -> None:
        """Send a heartbeat each second once anything is subscribed (protocol §12)."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if self.subscribed:
                self.publish(HEARTBEAT, {"channel": "heartbeat", "type": "heartbeat"})


def status_frame(connection: Connection, system: str) -> bytes:
    """Return the frame that greets a client and announces changes of the system's status."""
    data = {
        "version": "2.0.10",
        "system": system,
        "api_version": "v2",
        "connection_id": connection.identity,
        "upcoming_maintenance": [],
        "emergency": [],
    }
    return dump({"channel": "status", "type": "update", "data": [data]})


def answer_ping(request: Mapping[str, Any], received: datetime) -> bytes:
    """Return the answer to ``ping``."""
    if "params" in request:
        text = "Unsupported field: 'params' for the given msg type: ping"
        return failure("ping", request.get("req_id"), text, received)
    # By the exchange's own clock, which a test may have stepped: it is what this is asked for.
    shown = to_rfc3339(received)
    times = {"time_in": shown, "time_out": shown}
    return dump({"method": "pong", **_echo(request.get("req_id")), **times})


def success(method: str, request_id: Any, result: Any, received: datetime, **more: Any) -> bytes:
    """Return a positive answer; ``result`` None leaves the field out."""
    named = {} if result is None else {"result": result}
    return dump(
        {
            "method": method,
            **more,
            **_echo(request_id),
            **named,
            "success": True,
            **_times(received),
        }
    )


def failure(
    method: str | None, request_id: Any, error: str, received: datetime, **more: Any
) -> bytes:
    """Return a refusal; v2 errors are one string."""
    named = {} if method is None else {"method": method}
    return dump(
        {
            "error": error,
            **named,
            **_echo(request_id),
            "success": False,
            **more,
            **_times(received),
        }
    )


def _echo(request_id: Any) -> dict[str, Any]:
    return {"req_id": request_id} if isinstance(request_id, int) else {}


def _times(received: datetime) -> dict[str, str]:
    return {"time_in": to_rfc3339(received), "time_out": to_rfc3339(datetime.now(UTC))}


def _with_wrong_checksum(frame: bytes) -> bytes:
    return re.sub(rb'"checksum":(\d+)', lambda found: b'"checksum":%d' % (int(found[1]) ^ 1), frame)

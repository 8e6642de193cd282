"""Events to a stream of NATS JetStream: stored on its disk before they count as told.

The id of an event is the message's ``Nats-Msg-Id``: within the stream's window the server takes
one that comes again for the one it has.
"""

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import RetentionPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from activities.ports.events import BrokerUnavailableError
from models.contracts.events import Event

CONNECT_SECONDS: Final = 5
ACKNOWLEDGE_SECONDS: Final = 5.0
DUPLICATES_SECONDS: Final = 3600.0
"""How long the server knows an id again. A bridge that comes back later than that repeats at most
what was under way when it ended; consumers know the id too."""
SUBJECTS: Final = "aether.>"


class NatsBroker:
    """One connection to one stream; made when it is needed, and anew when it is lost."""

    def __init__(self, url: str, stream: str, credentials: Path | None) -> None:
        self._url, self._stream, self._credentials = url, stream, credentials
        self._client: Client | None = None
        self._jetstream: JetStreamContext | None = None
        self._connecting = asyncio.Lock()

    async def publish(self, event: Event) -> None:
        """Return when the server has stored the event.

        Raises:
            BrokerUnavailableError: it has not, or nobody can tell.
        """
        body = json.dumps(event.document(), separators=(",", ":")).encode()
        headers = {"Nats-Msg-Id": event.event_id, "Content-Type": "application/cloudevents+json"}
        try:
            stream = await self._connected()
            await stream.publish(
                event.subject, body, ACKNOWLEDGE_SECONDS, self._stream, headers=headers
            )
        except (NatsError, OSError, TimeoutError, ValueError) as error:
            raise BrokerUnavailableError(f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Give the connection back."""
        client, self._client, self._jetstream = self._client, None, None
        if client is not None:
            with suppress(NatsError, OSError):
                await client.close()

    async def _connected(self) -> JetStreamContext:
        async with self._connecting:
            if self._jetstream is not None and self._client is not None:
                if self._client.is_connected:
                    return self._jetstream
                await self.close()
            return await self._connect()

    async def _connect(self) -> JetStreamContext:
        # Whoever waits for this connects anew: the client's own attempts would go on beside it.
        self._client = await nats.connect(
            self._url,
            name="aether-events",
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS,
            ping_interval=10,
            max_outstanding_pings=2,
            **_access(self._url, self._credentials),
        )
        jetstream = self._client.jetstream()
        try:
            await jetstream.stream_info(self._stream)
        except NotFoundError:
            await jetstream.add_stream(
                StreamConfig(
                    name=self._stream,
                    subjects=[SUBJECTS],
                    storage=StorageType.FILE,
                    retention=RetentionPolicy.LIMITS,
                    duplicate_window=DUPLICATES_SECONDS,
                )
            )
        self._jetstream = jetstream
        return jetstream


def _access(url: str, credentials: Path | None) -> dict[str, Any]:
    """Return what the server asks for, read anew for each connection: it may be rotated."""
    found: dict[str, Any] = {}
    if url.startswith("tls://"):
        authority = None if credentials is None else _existing(credentials / "authority.pem")
        context = ssl.create_default_context(cafile=authority)
        if credentials is not None and (own := _existing(credentials / "client.pem")):
            context.load_cert_chain(own, credentials / "client.key")
        found["tls"] = context
    if credentials is None:
        return found
    if name := _existing(credentials / "user"):
        user, _, password = name.read_text().strip().partition(":")
        found |= {"user": user, "password": password}
    if token := _existing(credentials / "token"):
        found["token"] = token.read_text().strip()
    return found


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None

"""A real NATS server with JetStream, TLS and a password, that can be killed and started again."""

import asyncio
import json
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats

from infra.runtime.certificates import Authority
from tests.support.free_ports import free_block
from tests.support.prometheus import provided


class NatsServer:
    """One server whose state stays when it is killed."""

    def __init__(self, place: Path) -> None:
        self.port = free_block()
        self.url = f"tls://127.0.0.1:{self.port}"
        self.credentials = place / "credentials"
        self.process: subprocess.Popen[bytes] | None = None
        self._place = place
        self._password = secrets.token_urlsafe(16)
        self.credentials.mkdir()
        authority = Authority("a test's own", timedelta(days=1))
        (self.credentials / "authority.pem").write_bytes(authority.certificate)
        certificate, key = authority.client("aether")
        (self.credentials / "client.pem").write_bytes(certificate)
        (self.credentials / "client.key").write_bytes(key)
        (self.credentials / "user").write_text(f"aether:{self._password}\n")
        certificate, key = authority.server("nats", "127.0.0.1")
        (place / "server.pem").write_bytes(certificate)
        (place / "server.key").write_bytes(key)

    def start(self) -> None:
        """Start it and wait until it listens."""
        place = self._place
        settings = place / "nats.conf"
        settings.write_text(
            json.dumps(
                {
                    "host": "127.0.0.1",
                    "port": self.port,
                    "jetstream": {"store_dir": str(place / "store"), "sync_interval": "always"},
                    "tls": {
                        "cert_file": str(place / "server.pem"),
                        "key_file": str(place / "server.key"),
                        "ca_file": str(self.credentials / "authority.pem"),
                        "verify": True,
                    },
                    "authorization": {"users": [{"user": "aether", "password": self._password}]},
                }
            )
        )
        with (place / "nats.log").open("ab") as log:
            command = [provided("nats-server"), "--config", str(settings)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while not self._answers():
            assert self.process.poll() is None, (place / "nats.log").read_text()
            assert time.monotonic() < until, "nats-server does not listen"
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def messages(self, stream: str = "AETHER") -> list[dict[str, Any]]:
        """Return every message that the stream holds, in its order."""
        return asyncio.run(self.read(stream))

    async def read(self, stream: str = "AETHER") -> list[dict[str, Any]]:
        """Return every message that the stream holds, in its order."""
        user, _, password = (self.credentials / "user").read_text().strip().partition(":")
        context = ssl.create_default_context(cafile=self.credentials / "authority.pem")
        context.load_cert_chain(self.credentials / "client.pem", self.credentials / "client.key")
        client = await nats.connect(self.url, tls=context, user=user, password=password)
        try:
            jetstream = client.jetstream()
            state = (await jetstream.stream_info(stream)).state
            wanted = state.messages
            reader = await jetstream.subscribe("aether.>", stream=stream, ordered_consumer=True)
            found = []
            while len(found) < wanted:
                message = await reader.next_msg(timeout=10)
                found.append(json.loads(message.data) | {"_subject": message.subject})
        finally:
            await client.close()
        return found

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def nats_server(place: Path) -> Iterator[NatsServer]:
    """Run a server for as long as the block lasts."""
    server = NatsServer(place)
    server.start()
    try:
        yield server
    finally:
        server.stop()

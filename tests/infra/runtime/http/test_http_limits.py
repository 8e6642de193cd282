"""Who connects and sends nothing, or half of it, keeps nobody out of any port of ours."""

import asyncio
import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from decimal import Decimal

import httpx
import pytest

from infra.runtime.http.limits import ConnectionGuard
from tests.support.temporal import eventually
from workers.exchange.accounts import AccountKey
from workers.exchange.server import Options, Server
from workers.health import Health, HealthServer

HALF_OPEN = 1_100
ANSWER_SECONDS = 2.0
USUAL_DESCRIPTORS = 1_024

API_LIKE = """
import asyncio, resource, sys, uvicorn
from fastapi import FastAPI
from infra.runtime.http.limits import limited_config
usual = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (usual, usual))
app = FastAPI()
@app.get("/healthz")
async def alive(): return {}
@app.post("/kill-switch")
async def engage(body: dict): return body
asyncio.run(uvicorn.Server(limited_config(app, int(sys.argv[1]))).serve())
"""


@contextmanager
def served_apart():
    """Serve as the API does, in a process that may open as many files as is usual."""
    port = a_port()
    words = [sys.executable, "-c", API_LIKE, str(port), str(USUAL_DESCRIPTORS)]
    process = subprocess.Popen(words)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1)
                break
            except httpx.TransportError:
                assert time.monotonic() < until, "the server never answered"
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def a_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def half_open(port, number, sends=b"GET /healthz HTTP/1.1\r\nHost: x\r\n"):
    with ExitStack() as opened:
        for _ in range(number):
            silent = opened.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            try:
                silent.sendall(sends)
            except OSError:
                continue  # cut already: that is what the limit is for
        yield


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < HALF_OPEN + 500:
        pytest.skip("this process may not open enough sockets")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HALF_OPEN + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("sends", [b"", b"GET / HTTP/1.1\r\n", b"POST /kill-switch HTTP/1.1\r\n"])
def test_half_open_connections_keep_nobody_from_the_kill_switch(many_descriptors, sends):
    with served_apart() as port, half_open(port, HALF_OPEN, sends):
        for _ in range(3):
            address = f"http://127.0.0.1:{port}"
            assert httpx.get(f"{address}/healthz", timeout=ANSWER_SECONDS).is_success
            answer = httpx.post(f"{address}/kill-switch", json={"a": 1}, timeout=ANSWER_SECONDS)
            assert answer.json() == {"a": 1}


@pytest.mark.parametrize("silent", [1, 50])
def test_silent_socket_to_a_health_port_holds_nobody_up(silent):
    port = a_port()
    server = HealthServer(port, Health({"part": "ok"}))
    server.start()
    try:
        with half_open(port, silent, b""):
            for path, said in (("readyz", "ready"), ("healthz", "alive")):
                answer = httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=ANSWER_SECONDS)
                assert answer.json()["status"] == said
            metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=ANSWER_SECONDS)
            assert "python_info" in metrics.text
            assert httpx.get(f"http://127.0.0.1:{port}/other").status_code == 404
    finally:
        server.stop()
    again = HealthServer(port, Health())  # the port is free again
    again.stop()


async def test_exchange_simulator_answers_beside_half_open_connections(many_descriptors):
    account = AccountKey("company", "k" * 56, "c2VjcmV0", {"USD": Decimal(1)})
    server = Server(Options(speed="1"))
    server._load_accounts = lambda: [account]
    await server.start()
    try:
        beside = half_open(server.port, HALF_OPEN, b"")
        await asyncio.to_thread(beside.__enter__)
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
            url = f"http://127.0.0.1:{server.port}/0/public/Time"
            assert (await client.get(url)).is_success
        await asyncio.to_thread(beside.__exit__, None, None, None)
        handlers = server._runner.server.connections
        await eventually(lambda: len(handlers) <= 1, "those that left are gone")
    finally:
        await server.stop()


class Silent:
    """A connection that sends nothing, or that is being served."""

    def __init__(self, *, waits=True, unread=0):
        self.waits_for_request, self.guarded_transport = waits, self
        self.unread, self.aborted = unread, False

    def abort(self):
        self.aborted = True

    def get_write_buffer_size(self):
        return self.unread


async def test_only_what_is_overdue_is_cut_off():
    guard = ConnectionGuard(request_seconds=0.5, unread_seconds=0.5)
    slow, served, unread = Silent(), Silent(waits=False), Silent(waits=False, unread=1)
    for connection in (slow, served, unread):
        guard.opened(connection)
    await eventually(lambda: slow.aborted and unread.aborted, "what is overdue is cut off")
    assert not served.aborted
    assert guard.cut == 2


async def test_the_oldest_that_waits_makes_room_and_none_that_is_served():
    guard = ConnectionGuard(waiting_maximum=2)
    served = Silent(waits=False)
    connections = [served, *(Silent() for _ in range(4))]
    for connection in connections:
        guard.opened(connection)
    assert [one.aborted for one in connections] == [False, True, True, False, False]

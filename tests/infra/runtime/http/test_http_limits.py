"""Who connects and sends nothing, or half of it, keeps nobody out of any port of ours."""

import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from infra.runtime.http.limits import ConnectionGuard
from tests.support.temporal import eventually
from workers.health import Health, HealthServer

HALF_OPEN = 1_100
ANSWER_SECONDS = 5.0
"""A connection that the full queue turned away is tried again after one second and three."""

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

EXCHANGE_LIKE = """
import asyncio, resource, sys
from decimal import Decimal
from workers.exchange.accounts import AccountKey
from workers.exchange.server import Options, Server
async def serve():
    server = Server(Options(port=int(sys.argv[1]), speed="1"))
    account = AccountKey("company", "k" * 56, "c2VjcmV0", {"USD": Decimal(1)})
    server._load_accounts = lambda: [account]
    await server.start()
    # After the start, for a server of ours raises its own limit.
    usual = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, usual))
    await asyncio.Event().wait()
asyncio.run(serve())
"""


@contextmanager
def served_apart(program=API_LIKE, path="/healthz"):
    """Serve in a process that may open as many files as is usual; yield its port and number."""
    port = a_port()
    words = [sys.executable, "-c", program, str(port), str(USUAL_DESCRIPTORS)]
    process = subprocess.Popen(words)
    try:
        until = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}{path}", timeout=1)
                break
            except httpx.TransportError:
                assert time.monotonic() < until, "the server never answered"
                time.sleep(0.05)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def open_files(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


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
    with served_apart() as (port, _), half_open(port, HALF_OPEN, sends):
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


@pytest.fixture
def exchange_apart(many_descriptors):
    with served_apart(EXCHANGE_LIKE, "/0/public/Time") as served:
        yield served


def test_exchange_simulator_answers_beside_half_open_connections(exchange_apart):
    port, pid = exchange_apart
    before = open_files(pid)
    with half_open(port, HALF_OPEN, b""):
        for _ in range(3):
            url = f"http://127.0.0.1:{port}/0/public/Time"
            assert httpx.get(url, timeout=ANSWER_SECONDS).is_success
    until = time.monotonic() + 30
    while open_files(pid) > before + 2:
        assert time.monotonic() < until, "those that left are still held"
        time.sleep(0.05)


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

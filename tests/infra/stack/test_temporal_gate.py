"""Our Temporal server, as another user of the machine and as a web page see it."""

import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client

from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.runtime.temporal.access import (
    credentials_directory,
    ensure_credentials,
    read_client_tls,
    ui_password,
)
from infra.stack.temporal_server import asks_for_credentials, command_line
from tests.support.temporal import temporal_program

PORT_BASE = 21460 + 10 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
NOBODY = 65534
# RFC 9113, 3.4: what every HTTP/2 connection begins with; the server answers with its settings.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS_FRAME = 4


@dataclass
class Server:
    settings: Settings
    credentials: Path
    pid: int

    @property
    def password(self) -> str:
        return ui_password(self.credentials)

    @property
    def ports(self) -> list[int]:
        """The ports on which the process listens, from the kernel."""
        opened = [str(entry.readlink()) for entry in Path(f"/proc/{self.pid}/fd").iterdir()]
        inodes = {name[8:-1] for name in opened if name.startswith("socket:[")}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = [row for row in rows if row[3] == "0A" and row[9] in inodes]
        assert all(row[1].startswith("0100007F:") for row in listening), "not on loopback"
        return [int(row[1].split(":")[1], 16) for row in listening]

    @property
    def grpc_ports(self) -> list[int]:
        others = (self.settings.temporal_ui_port, self.settings.temporal_metrics_port)
        return [port for port in self.ports if port not in others]

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> "Seen":
        """Ask the web UI; underscores in the names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        port = self.settings.temporal_ui_port
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Seen(answer.status, answer.read().decode(), dict(answer.getheaders()))

    def signed_in(self, password: str | None = None) -> str:
        return _basic(self.password if password is None else password)


@dataclass
class Seen:
    status: int
    body: str
    headers: dict[str, str]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    program = Path(temporal_program())
    if not asks_for_credentials(program):
        pytest.skip("an official Temporal program is used here")
    home = tmp_path_factory.mktemp("gate")
    state, settings = StateDirectory(home), Settings(home=home, port_base=PORT_BASE)
    state.create()
    ensure_credentials(credentials_directory(state))
    process = subprocess.Popen(command_line(program, settings, state))
    made = Server(settings, credentials_directory(state), process.pid)
    try:
        until = time.monotonic() + 30
        while not _is_healthy(made):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server is not healthy"
            time.sleep(0.05)
        yield made
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_healthy(server: Server) -> bool:
    try:
        return server.ask("GET", "/healthz").status == 200
    except OSError:
        return False


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def as_another_user(call: Callable[[], list[str]]) -> list[str]:
    """Run a call as a user who owns nothing, where we may become one; else as ourselves."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # The child only asks; it takes no lock that a thread might hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.write(writing, json.dumps(call()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        found: list[str] = json.loads(answer.read())
    os.waitpid(child, 0)
    return found


def serves_grpc(port: int, context: ssl.SSLContext | None) -> bool:
    """Tell whether a port answers an HTTP/2 client with its settings."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            line = plain if context is None else context.wrap_socket(plain)
            with line:
                line.sendall(PREFACE)
                answer = line.recv(9)
    except (OSError, ssl.SSLError):
        return False
    return len(answer) == 9 and answer[3] == SETTINGS_FRAME


def tls(directory: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if directory is not None:
        context.load_cert_chain(directory / "client.pem", directory / "client.key")
    return context


async def test_holder_of_the_certificate_is_served(server: Server) -> None:
    assert serves_grpc(server.settings.temporal_port, tls(server.credentials))
    client = await Client.connect(
        server.settings.temporal_target,
        namespace=server.settings.temporal_namespace,
        tls=read_client_tls(server.credentials),
    )
    assert (await client.count_workflows()).count == 0


def test_every_port_of_the_server_refuses_another_user(server: Server, tmp_path: Path) -> None:
    forged = tmp_path / "forged"
    ensure_credentials(forged)
    contexts = {"plain": None, "no certificate": tls(), "forged certificate": tls(forged)}
    ports = server.grpc_ports
    assert len(ports) >= 3, "frontend, history and matching"

    def answered() -> list[str]:
        return [
            f"{port} {name}"
            for port in ports
            for name, context in contexts.items()
            if serves_grpc(port, context)
        ]

    assert as_another_user(answered) == []


def test_certificate_of_clients_opens_no_port_inside(server: Server) -> None:
    inside = [port for port in server.grpc_ports if port != server.settings.temporal_port]
    assert inside
    assert not [port for port in inside if serves_grpc(port, tls(server.credentials))]


def test_another_user_reads_no_credentials(server: Server) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs a second user")

    def readable() -> list[str]:
        return [
            name
            for name in ("client.key", "server.key", "ui-password", "client.pem")
            if os.access(server.credentials / name, os.R_OK)
        ]

    assert as_another_user(readable) == []


def test_there_is_no_http_api(server: Server) -> None:
    assert server.settings.temporal_http_port not in server.ports
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.settings.temporal_http_port), timeout=5)


@pytest.mark.parametrize("path", ["/", "/api/v1/namespaces", "/api/v1/settings", "/healthz/"])
def test_web_ui_asks_for_its_password(server: Server, path: str) -> None:
    refused = server.ask("GET", path)
    assert refused.status == 401
    assert refused.headers["Www-Authenticate"].startswith("Basic ")
    assert server.ask("GET", path, Authorization=server.signed_in("wrong")).status == 401
    assert server.ask("GET", path, Authorization=server.signed_in("")).status == 401


def test_web_ui_shows_itself_and_workflows_for_the_password(server: Server) -> None:
    for allowed in (server.signed_in(), f"Bearer {server.password}"):
        assert "<html" in server.ask("GET", "/", Authorization=allowed).body
        name = server.settings.temporal_namespace
        found = server.ask("GET", f"/api/v1/namespaces/{name}", Authorization=allowed)
        assert json.loads(found.body)["config"]["workflowExecutionRetentionTtl"] == "2592000s"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:7402"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}, 403),
    ],
)
def test_other_sites_are_refused_even_with_the_password(
    server: Server, headers: dict[str, str], status: int
) -> None:
    seen = server.ask("GET", "/", Authorization=server.signed_in(), **headers)
    assert seen.status == status


def test_no_workflow_is_ended_by_a_post_of_a_web_page(server: Server) -> None:
    path = f"/api/v1/namespaces/{server.settings.temporal_namespace}/workflows/x/terminate"
    page = {"Origin": "http://evil.example", "Content_Type": "text/plain"}
    assert server.ask("POST", path, "{}", **page).status == 403
    assert server.ask("POST", path, "{}", Content_Type="text/plain").status == 401
    # The web UI itself, by one who is signed in and has its token against forgery: it only shows.
    allowed = {"Authorization": server.signed_in()}
    cookie = server.ask("GET", "/", **allowed).headers["Set-Cookie"].split(";")[0]
    token = cookie.removeprefix("_csrf=")
    answer = server.ask("POST", path, "{}", Cookie=cookie, X_CSRF_Token=token, **allowed)
    assert answer.status == 405


def test_server_refuses_credentials_that_others_may_read(server: Server, tmp_path: Path) -> None:
    directory = tmp_path / "credentials"
    ensure_credentials(directory)
    (directory / "client.key").chmod(0o640)
    words = [temporal_program(), "--port", "1", "--namespace", "n"]
    words += ["--database", str(tmp_path / "d"), "--credentials", str(directory)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 1
    assert "client.key may be read by others" in done.stderr

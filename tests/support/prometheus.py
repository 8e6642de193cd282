"""A real Prometheus that scrapes one stack by the very file that installations load.

And a real Alertmanager that sends by the very file, to servers of a test.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.free_ports import free_block

ROOT = Path(__file__).parents[2]
RULES = ROOT / "infra" / "prometheus"
USUAL_PORT_BASE = 7400
START_SECONDS = 60.0


def provided(tool: str) -> str:
    """Return where a program is that tests need, fetched where it is not there."""
    script = ROOT / "infra" / "tools" / "provide.sh"
    found = subprocess.run([script, tool], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def configuration(port_base: int, alertmanager: int | None = None) -> dict[str, Any]:
    """Return the installation's configuration with the ports of one stack and its Alertmanager."""
    found: dict[str, Any] = yaml.safe_load((RULES / "prometheus.yaml").read_text())
    found["rule_files"] = [str(RULES / name) for name in found["rule_files"]]
    if alertmanager is None:
        del found["alerting"]
    else:
        (told,) = found["alerting"]["alertmanagers"]
        told["static_configs"] = [{"targets": [f"127.0.0.1:{alertmanager}"]}]
    for job in found["scrape_configs"]:
        for group in job["static_configs"]:
            group["targets"] = [_shifted(target, port_base) for target in group["targets"]]
    return found


def hastened(found: dict[str, Any], place: Path) -> dict[str, Any]:
    """Return a configuration that looks every second, and rules that wait no longer than two."""
    found["global"] = dict.fromkeys(found["global"], "1s")
    for number, name in enumerate(found["rule_files"]):
        document = yaml.safe_load(Path(name).read_text())
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            if "for" in rule:
                rule["for"] = "2s"
        copy = place / Path(name).name
        copy.write_text(yaml.safe_dump(document, width=1000))
        found["rule_files"][number] = str(copy)
    return found


class Prometheus:
    """One server's HTTP API."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)

    def is_ready(self) -> bool:
        """Tell whether it answers."""
        try:
            return self._http.get("/-/ready").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the samples of an expression.

        Raises:
            AssertionError: Prometheus refuses it; the message is its own.
        """
        asked = {"query": expression} | ({} if at is None else {"time": str(at)})
        answer = self._http.post("/api/v1/query", data=asked).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def labels(self) -> dict[str, set[str]]:
        """Return the labels of every series that was scraped, by its name."""
        found: dict[str, set[str]] = {}
        for name in self._get("/api/v1/label/__name__/values"):
            rows = self._get("/api/v1/series", **{"match[]": f'{{__name__="{name}"}}'})
            found[name] = {label for row in rows for label in row} - {"__name__"}
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its health and last error, as Prometheus evaluates it."""
        groups = self._get("/api/v1/rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        alerts = self._get("/api/v1/alerts")["alerts"]
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}

    def targets(self) -> dict[str, str]:
        """Return the health of each job."""
        active = self._get("/api/v1/targets")["activeTargets"]
        return {one["labels"]["job"]: one["health"] for one in active}

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def _get(self, path: str, **asked: str) -> Any:
        answer = self._http.get(path, params=asked).json()
        assert answer["status"] == "success", answer
        return answer["data"]


@contextmanager
def prometheus_of(
    port_base: int, place: Path, port: int | None = None, alertmanager: int | None = None
) -> Iterator[Prometheus]:
    """Scrape a stack for as long as the block lasts; with an Alertmanager, alerts make haste."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / "prometheus.yaml"
    found = configuration(port_base, alertmanager)
    file.write_text(yaml.safe_dump(found if alertmanager is None else hastened(found, place)))
    port = port or free_block()
    command = [
        provided("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={place / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    if alertmanager is not None:
        # What fires before it has found its Alertmanager is lost until it is sent again.
        command.append("--rules.alert.resend-delay=1s")
    server = Prometheus(port)
    try:
        with _running(command, place / "prometheus.log", server.is_ready):
            yield server
    finally:
        server.close()


@dataclass(frozen=True)
class Receivers:
    """Where a test has what is sent: ports of a mail server and of a server of webhooks."""

    mail: int
    posts: int
    token: Path


def sending(receivers: Receivers) -> dict[str, Any]:
    """Return the installation's configuration with a test's servers, sending within a second."""
    found: dict[str, Any] = yaml.safe_load((RULES / "alertmanager.yaml").read_text())
    for route in (found["route"], *found["route"]["routes"]):
        route |= {"group_wait": "0s", "group_interval": "1s"}
    (watching,) = [r for r in found["route"]["routes"] if r["receiver"] == "dead-mans-switch"]
    watching["repeat_interval"] = "2s"
    for receiver in found["receivers"]:
        for mail in receiver.get("email_configs", ()):
            mail["smarthost"] = f"127.0.0.1:{receivers.mail}"
        for post in receiver.get("webhook_configs", ()):
            post["url"] = re.sub(r":\d+/", f":{receivers.posts}/", post["url"])
            if "http_config" in post:
                post["http_config"]["authorization"]["credentials_file"] = str(receivers.token)
    return found


@contextmanager
def alertmanager_of(receivers: Receivers, place: Path) -> Iterator[int]:
    """Send alerts for as long as the block lasts; gives the port that they are taken at."""
    place.mkdir(parents=True, exist_ok=True)
    file, port = place / "alertmanager.yaml", free_block()
    file.write_text(yaml.safe_dump(sending(receivers)))
    command = [
        provided("alertmanager"),
        f"--config.file={file}",
        f"--storage.path={place / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:

        def is_ready() -> bool:
            try:
                return client.get("/-/ready").status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        with _running(command, place / "alertmanager.log", is_ready):
            yield port


@contextmanager
def _running(command: list[str], log: Path, is_ready: Callable[[], bool]) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        until = time.monotonic() + START_SECONDS
        while not is_ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, f"{command[0]} does not answer"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _shifted(target: str, port_base: int) -> str:
    host, _, port = target.rpartition(":")
    return f"{host}:{int(port) - USUAL_PORT_BASE + port_base}"

"""A real Prometheus that scrapes one stack by the very file that installations load."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


def configuration(port_base: int) -> dict[str, Any]:
    """Return the installation's configuration with the ports of one stack and no Alertmanager."""
    found: dict[str, Any] = yaml.safe_load((RULES / "prometheus.yaml").read_text())
    found["rule_files"] = [str(RULES / name) for name in found["rule_files"]]
    del found["alerting"]
    for job in found["scrape_configs"]:
        for group in job["static_configs"]:
            group["targets"] = [_shifted(target, port_base) for target in group["targets"]]
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
def prometheus_of(port_base: int, place: Path, port: int | None = None) -> Iterator[Prometheus]:
    """Scrape a stack for as long as the block lasts."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / "prometheus.yaml"
    file.write_text(yaml.safe_dump(configuration(port_base)))
    port = port or free_block()
    command = [
        provided("prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={place / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (place / "prometheus.log").open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    found = Prometheus(port)
    try:
        until = time.monotonic() + START_SECONDS
        while not found.is_ready():
            assert process.poll() is None, (place / "prometheus.log").read_text()
            assert time.monotonic() < until, "Prometheus does not answer"
            time.sleep(0.1)
        yield found
    finally:
        found.close()
        process.terminate()
        process.wait(30)


def _shifted(target: str, port_base: int) -> str:
    host, _, port = target.rpartition(":")
    return f"{host}:{int(port) - USUAL_PORT_BASE + port_base}"

"""Try the control room in a real browser on a whole stack: ``python -m tests.browser [SPEC …]``.

Pictures go to ``build/browser``. Needs Chromium (Debian: ``apt-get install chromium``).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.pages import build, node
from infra.runtime.settings import Settings
from tests.browser.directors import bring_to
from tests.support.own_stack import OwnStack, own_home
from tests.support.people import PASSWORD

EVERYTHING = ["pages", "onboarding", "trading", "governance", "keys", "connection", "overview"]
"""The specs of ``ui/tests``, those over a filled record first."""
START_SECONDS = 1200
"""How long a stack may take to start or stop: only a wait, on a machine that others use."""
PORT_BASE = int(os.environ.get("AETHER_PORT_BASE") or 17400)


def say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def main() -> int:
    chromium = os.environ.get("AETHER_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        say("error: no Chromium (Debian: apt-get install chromium)")
        return 2
    build.build(say)
    Path("build/browser").mkdir(parents=True, exist_ok=True)
    asked = sys.argv[1:] or EVERYTHING
    seeded = [word for word in asked if word.startswith("pages") or word == "soak"]
    whole = [word for word in asked if word not in seeded]
    results = [
        *([_on_record(chromium, seeded)] if seeded else []),
        *([_on_stack(chromium, whole)] if whole else []),
    ]
    return max(results)


def _on_record(chromium: str, asked: list[str]) -> int:
    """Try every page over a filled record; nothing trades."""
    command = [sys.executable, "-m", "tests.browser.seeded"]
    if "soak" in asked:
        os.environ.setdefault("AETHER_SOAK_TRADES", "1000")
        command.append(os.environ["AETHER_SOAK_TRADES"])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as api:
        assert api.stdin is not None
        assert api.stdout is not None
        try:
            served = json.loads(api.stdout.readline())
            places = {
                "AETHER_URL": served["url"],
                "AETHER_PASSWORD": served["password"],
                "AETHER_CHROMIUM": chromium,
                "AETHER_SEEDED": "1",
                "AETHER_PYTHON": sys.executable,
                "AETHER_API_PROCESS": str(api.pid),
            }
            if "soak" in asked:
                places["AETHER_DATABASE"] = served["database"]
            return _play(asked, places)
        finally:
            api.stdin.close()


def _on_stack(chromium: str, specs: list[str]) -> int:
    """Try what people do on a whole stack."""
    with own_home() as home:
        stack = OwnStack(home, PORT_BASE)
        try:
            started = stack.aether("up", seconds=START_SECONDS)
            if started.returncode != 0:
                say(started.stderr)
                return 1
            settings = Settings(home=stack.home, port_base=stack.port_base)
            places = {
                "AETHER_URL": f"http://localhost:{stack.port_base}",
                "AETHER_PASSWORD": PASSWORD,
                "AETHER_CHROMIUM": chromium,
                "AETHER_CLI": f"{sys.executable} -m cli.entry",
                "AETHER_PYTHON": sys.executable,
                "AETHER_EXCHANGE": f"http://127.0.0.1:{settings.exchange_port}",
                "AETHER_HOME": str(stack.home),
                "AETHER_PORT_BASE": str(stack.port_base),
            }
            begun = 0
            if "onboarding" in specs:
                # Nobody is there yet: the first director comes by the link of the start.
                begun = _play(["onboarding"], places)
                specs = [spec for spec in specs if spec != "onboarding"]
            if not specs:
                return begun
            bring_to(settings, "anna", "bruno", "carla")
            return max(begun, _play(specs, places))
        finally:
            stack.aether("down", seconds=START_SECONDS)


def _play(specs: list[str], places: dict[str, str]) -> int:
    """Play specs, each test said as it ends: a long run that says nothing looks as if it hung."""
    return node.attached("playwright", "test", *specs, extra=places)


if __name__ == "__main__":
    sys.exit(main())

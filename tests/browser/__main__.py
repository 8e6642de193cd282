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
    asked = sys.argv[1:] or ["pages", "flows", "overview"]
    seeded = [word for word in asked if word.startswith("pages")]
    whole = [word for word in asked if word not in seeded]
    results = [
        *([_on_record(chromium, seeded)] if seeded else []),
        *([_on_stack(chromium, whole)] if whole else []),
    ]
    return max(results)


def _on_record(chromium: str, asked: list[str]) -> int:
    """Try every page over a filled record; nothing trades."""
    command = [sys.executable, "-m", "tests.browser.seeded"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as api:
        assert api.stdin is not None
        assert api.stdout is not None
        try:
            served = json.loads(api.stdout.readline())
            places = {"AETHER_URL": served["url"], "AETHER_PASSWORD": served["password"]}
            return _play(asked, places | {"AETHER_CHROMIUM": chromium, "AETHER_SEEDED": "1"})
        finally:
            api.stdin.close()


def _on_stack(chromium: str, specs: list[str]) -> int:
    """Try what people do on a whole stack."""
    with own_home() as home:
        stack = OwnStack(home, PORT_BASE)
        started = stack.aether("up")
        if started.returncode != 0:
            say(started.stderr)
            return 1
        try:
            settings = Settings(home=stack.home, port_base=stack.port_base)
            bring_to(settings, "anna", "bruno", "carla")
            places = {
                "AETHER_URL": f"http://localhost:{stack.port_base}",
                "AETHER_PASSWORD": PASSWORD,
                "AETHER_CHROMIUM": chromium,
                "AETHER_CLI": f"{sys.executable} -m cli.entry",
                "AETHER_HOME": str(stack.home),
                "AETHER_PORT_BASE": str(stack.port_base),
            }
            return _play(specs, places)
        finally:
            stack.aether("down")


def _play(specs: list[str], places: dict[str, str]) -> int:
    try:
        say(node.script("playwright", "test", *specs, extra=places))
    except node.PagesError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

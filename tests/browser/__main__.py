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
from tests.support.own_stack import OwnStack, own_home

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
        *([_on_record(chromium)] if seeded else []),
        *([_on_stack(chromium, whole)] if whole else []),
    ]
    return max(results)


def _on_record(chromium: str) -> int:
    """Try every page over a filled record; nothing trades."""
    command = [sys.executable, "-m", "tests.browser.seeded"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as api:
        assert api.stdin is not None
        assert api.stdout is not None
        try:
            served = json.loads(api.stdout.readline())
            places = {"AETHER_URL": served["url"], "AETHER_TOKEN": served["token"]}
            return _play(["pages"], places | {"AETHER_CHROMIUM": chromium, "AETHER_SEEDED": "1"})
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
            other = stack.aether("admin", "token", "--name", "second").stdout.strip()
            places = {
                "AETHER_URL": f"http://127.0.0.1:{stack.port_base}",
                "AETHER_TOKEN": stack.aether("admin", "token").stdout.strip(),
                "AETHER_OTHER_TOKEN": other,
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

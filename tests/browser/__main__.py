"""Try the control room in a real browser on a whole stack: ``python -m tests.browser [SPEC …]``.

Pictures go to ``build/browser``. Needs Chromium (Debian: ``apt-get install chromium``).
"""

import os
import shutil
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
    with own_home() as home:
        stack = OwnStack(home, PORT_BASE)
        started = stack.aether("up")
        if started.returncode != 0:
            say(started.stderr)
            return 1
        try:
            return _try(stack, chromium, sys.argv[1:])
        finally:
            stack.aether("down")


def _try(stack: OwnStack, chromium: str, words: list[str]) -> int:
    places = {
        "AETHER_URL": f"http://127.0.0.1:{stack.port_base}",
        "AETHER_TOKEN": stack.aether("admin", "token").stdout.strip(),
        "AETHER_OTHER_TOKEN": stack.aether("admin", "token", "--name", "second").stdout.strip(),
        "AETHER_CHROMIUM": chromium,
        "AETHER_CLI": f"{sys.executable} -m cli.entry",
        "AETHER_HOME": str(stack.home),
        "AETHER_PORT_BASE": str(stack.port_base),
    }
    try:
        say(node.script("playwright", "test", *words, extra=places))
    except node.PagesError as error:
        say(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

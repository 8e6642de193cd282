"""Checks of the pages, each repeated only when its sources have changed."""

import gzip
import re
from collections.abc import Callable
from typing import Final

from infra.pages import build as building
from infra.pages.build import WORK
from infra.pages.node import PagesError, script
from infra.pages.places import BUILT, UI, sources_hash

FIRST_LOAD_LIMIT: Final = 300 * 1024
"""Bytes of compressed script that the first page may load."""
SNAPSHOT: Final = UI / "api.json"
TYPES: Final = UI / "src" / "api" / "schema.ts"
_SCRIPT = re.compile(r'(?:src|href)="/(assets/[^"]+\.js)"')


def check() -> list[str]:
    """Check the types of the pages; return what was done.

    Raises:
        PagesError: a check fails.
    """
    if _known("types"):
        return ["Pages: types checked before, nothing has changed."]
    _check_generated()
    script("tsc", "--noEmit")
    _remember("types")
    return ["Pages: types are right, and the client is that of the committed description."]


def test(tell: Callable[[str], None]) -> list[str]:
    """Run the component tests and weigh the first load; return what was done.

    Raises:
        PagesError: a test fails, or the first load is too large.
    """
    if _known("tests"):
        return ["Pages: tested before, nothing has changed."]
    printed = script("vitest", "run", "--reporter=dot")
    tell(printed.strip()[-1500:])
    building.build(tell)
    size = first_load_bytes()
    if size > FIRST_LOAD_LIMIT:
        raise PagesError(f"the first load is {size} bytes of script, more than {FIRST_LOAD_LIMIT}")
    _remember("tests")
    return [f"Pages: first load {size / 1024:.0f} KiB of compressed script (300 at most)."]


def first_load_bytes() -> int:
    """Return the bytes of script, compressed, that the first page names."""
    names = set(_SCRIPT.findall((BUILT / "index.html").read_text()))
    return sum(len(gzip.compress((BUILT / name).read_bytes(), 9)) for name in names)


def write_types() -> None:
    """Write the client's types from the committed description of the API."""
    script("openapi-typescript", str(SNAPSHOT), "--output", str(TYPES))


def _check_generated() -> None:
    fresh = WORK / "schema.ts"
    WORK.mkdir(exist_ok=True)
    script("openapi-typescript", str(SNAPSHOT), "--output", str(fresh))
    if fresh.read_text() != TYPES.read_text():
        raise PagesError("ui/src/api/schema.ts is stale: run `aether pages api`")


def _known(name: str) -> bool:
    try:
        return (WORK / f"{name}.passed").read_text() == sources_hash()
    except FileNotFoundError:
        return False


def _remember(name: str) -> None:
    WORK.mkdir(exist_ok=True)
    (WORK / f"{name}.passed").write_text(sources_hash())

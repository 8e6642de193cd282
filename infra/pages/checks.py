"""Checks of the pages, each repeated only when its sources have changed."""

from collections.abc import Callable
from typing import Final

from infra.pages import build as building
from infra.pages.build import WORK, first_load_bytes
from infra.pages.node import PagesError, script
from infra.pages.places import BUILT, UI, sources_hash

SNAPSHOT: Final = UI / "api.json"
TYPES: Final = UI / "src" / "api" / "schema.ts"


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
    """Run the component tests and build the pages, which weighs them; return what was done.

    Raises:
        PagesError: a test fails, or the first load is too large.
    """
    if _known("tests"):
        return ["Pages: tested before, nothing has changed."]
    printed = script("vitest", "run", "--reporter=dot")
    tell(printed.strip()[-1500:])
    building.build(tell)
    size = first_load_bytes(BUILT)
    _remember("tests")
    return [f"Pages: first load {size / 1000:.0f} kB of compressed script (300 at most)."]


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

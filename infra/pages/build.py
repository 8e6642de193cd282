"""Build the pages once per state of their sources, beside whatever else runs."""

import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from infra.pages import node
from infra.pages.places import BUILT, STAMP, UI, are_current, sources_hash

WORK: Final = UI / ".build"
"""Where a build works and notes how far it is; never a source."""
PROGRESS: Final = WORK / "progress.json"
LOG: Final = WORK / "build.log"
LOWEST_PRIORITY: Final = 19
FIRST_LOAD_LIMIT: Final = 300_000
"""Bytes of compressed script that the first page may load."""
_SCRIPT = re.compile(r'(?:src|href)="/(assets/[^"]+\.js)"')

Tell = Callable[[str], None]


def build(tell: Tell) -> bool:
    """Build the pages from their sources; False when they are current already.

    The pages in place are replaced at the end, in one step: who has them open keeps them.

    Raises:
        PagesError: a step failed; the pages in place stay.
    """
    with _alone():
        if are_current():
            return False
        try:
            _note("installing Node and the packages", tell)
            node.provide_modules()
            _note("building", tell)
            wanted = sources_hash()
            fresh = WORK / "next"
            shutil.rmtree(fresh, ignore_errors=True)
            node.script("vite", "build", "--outDir", str(fresh), "--emptyOutDir")
            _weigh(fresh)
            (fresh / STAMP).write_text(wanted)
            _put_in_place(fresh)
        except node.PagesError as error:
            _write({"step": "failed", "detail": str(error)[-4000:]})
            raise
        PROGRESS.unlink(missing_ok=True)
        return True


def first_load_bytes(built: Path) -> int:
    """Return the bytes of script, compressed, that the first page names."""
    names = set(_SCRIPT.findall((built / "index.html").read_text()))
    return sum(len(gzip.compress((built / name).read_bytes(), 9)) for name in names)


def _weigh(built: Path) -> None:
    size = first_load_bytes(built)
    if size > FIRST_LOAD_LIMIT:
        raise node.PagesError(
            f"the first load is {size} bytes of compressed script, more than {FIRST_LOAD_LIMIT}: "
            "have pages that are not the first load later (lazyRouteComponent)"
        )


def build_beside() -> bool:
    """Start a build in a process of its own, at the lowest priority; False when none is needed.

    It goes on when whoever started it ends.
    """
    if are_current():
        return False
    WORK.mkdir(exist_ok=True)
    with LOG.open("w") as log:
        subprocess.Popen(  # our own command line
            [sys.executable, "-m", "cli.entry", "pages", "build"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: os.nice(LOWEST_PRIORITY),  # noqa: PLW1509  # no threads yet
        )
    return True


def progress() -> dict[str, str]:
    """Return the step that a build is at, or why the last one failed; empty when neither is so."""
    try:
        found: dict[str, str] = json.loads(PROGRESS.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _put_in_place(fresh: Path) -> None:
    old = WORK / "old"
    shutil.rmtree(old, ignore_errors=True)
    if BUILT.exists():
        BUILT.rename(old)
    fresh.rename(BUILT)
    shutil.rmtree(old, ignore_errors=True)


def _note(step: str, tell: Tell) -> None:
    tell(f"Pages of the control room: {step} …")
    _write({"step": step})


def _write(document: dict[str, str]) -> None:
    PROGRESS.write_text(json.dumps(document))


@contextmanager
def _alone() -> Iterator[None]:
    WORK.mkdir(exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Where the sources and the built files of the pages are."""

import hashlib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
UI: Final = ROOT / "ui"
BUILT: Final = UI / "dist"
NODE_LOCK: Final = ROOT / "requirements-node.lock"
STAMP: Final = "sources.sha256"
"""File beside the built pages that tells which sources they are built from."""
NOT_SOURCES: Final = frozenset({"node_modules", "dist", "build", ".build", "storybook-static"})


def source_files(folder: Path = UI) -> list[Path]:
    """Return every file that the pages are made from, sorted."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name in NOT_SOURCES:
            continue
        found += source_files(path) if path.is_dir() else [path]
    return found


def hash_of(files: list[Path]) -> str:
    """Return one SHA-256 over names and contents of files, in their order."""
    whole = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(ROOT)} {content}\n".encode())
    return whole.hexdigest()


def sources_hash() -> str:
    """Return the hash of everything that decides what the built pages look like."""
    return hash_of([NODE_LOCK, *source_files()])


def are_current() -> bool:
    """Tell whether the built pages are those of the present sources."""
    try:
        return (BUILT / STAMP).read_text().strip() == sources_hash()
    except FileNotFoundError:
        return False

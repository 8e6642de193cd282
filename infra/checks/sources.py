"""The files of the tree that the rules are about."""

from collections.abc import Iterator
from pathlib import Path

CODE = ("activities", "api", "bench", "cli", "infra", "models", "tests", "workers", "workflows")
"""Folders of Python code."""
PASSED_OVER = frozenset({"__pycache__", "node_modules", "dist", "build"})


def files(root: Path, folders: tuple[str, ...], suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files with one of the suffixes below these folders of a tree, sorted.

    Raises:
        FileNotFoundError: none of the folders exists, so that nothing would be checked.
    """
    present = [root / name for name in folders if (root / name).is_dir()]
    if not present:
        raise FileNotFoundError(f"{root} has none of {', '.join(folders)}")
    for folder in present:
        yield from _below(folder, suffixes)


def _below(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in PASSED_OVER or path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _below(path, suffixes)
        elif path.suffix in suffixes:
            yield path

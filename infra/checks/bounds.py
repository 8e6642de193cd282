"""How many modules a folder holds, and how many lines a file."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra.checks.sources import CODE, files

MODULES_MAXIMUM = 15
LINES_MAXIMUM = 400


@dataclass(frozen=True, slots=True)
class Exemption:
    """A folder or file that may be larger for now.

    Attributes:
        path: relative to the root of the tree.
        maximum: modules or lines that it may have.
        since: when it was exempted.
        reason: why, and what ends it.
    """

    path: str
    maximum: int
    since: date
    reason: str


def folder_findings(root: Path, exempt: Iterable[Exemption]) -> list[str]:
    """Return what is wrong with the folders: too many modules, or an exemption not needed."""
    modules = (path for path in files(root, CODE, (".py",)) if path.name != "__init__.py")
    sizes = Counter(path.parent.relative_to(root).as_posix() for path in modules)
    return list(_beyond(sizes, MODULES_MAXIMUM, "modules", exempt))


def file_findings(root: Path, exempt: Iterable[Exemption]) -> list[str]:
    """Return what is wrong with the files: too many lines, or an exemption not needed."""
    sizes = Counter(
        {
            path.relative_to(root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
            for path in files(root, CODE, (".py",))
        }
    )
    return list(_beyond(sizes, LINES_MAXIMUM, "lines", exempt))


def _beyond(
    sizes: Counter[str], maximum: int, unit: str, exempt: Iterable[Exemption]
) -> Iterator[str]:
    exemptions = {one.path: one for one in exempt}
    for path, size in sorted(sizes.items()):
        allowed = exemptions[path].maximum if path in exemptions else maximum
        if size > allowed:
            yield f"{path}: {size} {unit}, {allowed} at most"
    for path in sorted(exemptions):
        if sizes[path] <= maximum:
            yield (
                f"{path}: exempted from {maximum} {unit} but has {sizes[path]}: "
                "remove it from infra/checks/exemptions.py"
            )

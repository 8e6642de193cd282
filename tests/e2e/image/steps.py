"""Play the steps of a Dockerfile in a directory, stage by stage, where no container engine is.

Each stage is a directory that stands for its root: a stage ``FROM`` another begins with hard links
to that one's files, ``COPY`` copies, and ``RUN`` runs in the stage's working directory, with the
paths that the image makes led into it. What needs root (users, groups) is left out, and named.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

MADE_BY_THE_IMAGE = ("/opt/aether", "/build")
NEEDS_ROOT = ("groupadd",)

Rewrite = Callable[[str], str]


@dataclass
class Image:
    """Stages by name, as directories; the last one is the image."""

    roots: dict[str, Path] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """Return the root of the last stage."""
        return list(self.roots.values())[-1]


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Return each instruction with its words; lines that go on are joined."""
    joined = re.sub(r"\\\n\s*", "", text)
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def play(text: str, context: Path, place: Path, rewrite: Rewrite = str) -> Image:
    """Play the steps and return the image.

    Args:
        text: of the Dockerfile.
        context: what it copies from.
        place: an empty directory for the stages.
        rewrite: changes a command before it is run.

    Raises:
        AssertionError: a command failed; the message holds what it printed.
    """
    image, folder = Image(), "/"
    for name, rest in steps(text):
        if name == "FROM":
            folder = _begin(image, rest, place, folder)
        elif name == "WORKDIR":
            folder = rest
            _within(image.root, folder).mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            _copy(image, rest, context, folder)
        elif name == "RUN" and rest.startswith(NEEDS_ROOT):
            image.left_out.append(rest)
        elif name == "RUN":
            _run(image.root, rewrite(rest), folder)
    return image


def _begin(image: Image, words: str, place: Path, folder: str) -> str:
    base, _, name = words.partition(" AS ")
    root = place / (name or "final")
    if base in image.roots:
        shutil.copytree(image.roots[base], root, symlinks=True, copy_function=os.link)
    else:
        root.mkdir(parents=True)
        folder = "/"
    image.roots[name or "final"] = root
    return folder


def _copy(image: Image, words: str, context: Path, folder: str) -> None:
    *sources, target = words.split()
    stage = sources[0].removeprefix("--from=") if sources[0].startswith("--from=") else None
    origin = context
    if stage is not None:
        origin, sources = image.roots[stage], [source.lstrip("/") for source in sources[1:]]
    into = _within(image.root, os.path.normpath(os.path.join(folder, target)))  # noqa: PTH118
    for source in sources:
        found = origin / source
        if found.is_dir():
            ignored = _ignored(context) if stage is None else None
            shutil.copytree(found, into, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            into.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, into)


def _ignored(context: Path) -> Callable[[str, list[str]], set[str]]:
    lines = (context / ".dockerignore").read_text().splitlines()
    rules = {line.removeprefix("**/") for line in lines if line and not line.startswith("#")}

    def ignored(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(context)
        return {name for name in names if {name, str(inside / name)} & rules}

    return ignored


def _run(root: Path, command: str, folder: str) -> None:
    for path in MADE_BY_THE_IMAGE:
        command = re.sub(rf"(?<![\w/]){path}(?=/|\s|$)", str(_within(root, path)), command)
    ours = ("AETHER_", "PYTHON", "VIRTUAL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=_within(root, folder),
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def _within(root: Path, path: str) -> Path:
    return root / path.lstrip("/")

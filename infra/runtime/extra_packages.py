"""Packages that only some commands need: installed on first use, from hashes, never at a start."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from infra.runtime.errors import PlatformError

ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 600


class ExtraPackagesError(PlatformError):
    """Packages that a command needs are not there and could not be installed."""


def need(module: str, lock: str) -> None:
    """Make sure that a module can be imported, installing its lock file when it is not there.

    Args:
        module: what is going to be imported.
        lock: name of the file of hashed requirements at the root of the checkout.

    Raises:
        ExtraPackagesError: it could not be installed.
    """
    if importlib.util.find_spec(module) is not None:
        return
    sys.stderr.write(f"{module} is needed here for the first time: installing {lock} …\n")
    try:
        done = subprocess.run(  # noqa: S603
            _command(ROOT / lock),
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExtraPackagesError(f"{lock} could not be installed: {error}") from None
    importlib.invalidate_caches()
    if done.returncode or importlib.util.find_spec(module) is None:
        reason = " ".join(done.stderr.split())[-400:] or "it is not there afterwards"
        raise ExtraPackagesError(f"{lock} could not be installed: {reason}")


def _command(lock: Path) -> list[str]:
    """Return the installer's command line: uv where it was set up, else pip."""
    options = ["--quiet", "--no-deps", "--require-hashes", "-r", str(lock)]
    uv = Path(sys.prefix) / "bootstrap" / "bin" / "uv"
    if uv.is_file():
        return [str(uv), "pip", "install", "--python", sys.executable, *options]
    return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *options]

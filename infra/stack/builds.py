"""Which build of the platform runs an installation, so that it can be started again."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.runtime.errors import PlatformError
from infra.runtime.files import write_atomically
from infra.runtime.state_directory import StateDirectory
from infra.runtime.version import code_version
from infra.stack.programs.environment import inherited

ROOT = Path(__file__).parents[2]
FILE = "build.json"
COMMAND_SECONDS = 300.0


class CommandError(PlatformError):
    """A command of a build did not end, or not even begin."""


@dataclass(frozen=True, slots=True)
class Build:
    """One build: where its code and its interpreter are."""

    root: str
    python: str
    version: str

    def aether(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of this build on the installation of the environment.

        Raises:
            CommandError: it could not be started, or did not end in time.
        """
        environment = {**inherited(os.environ), "PYTHONPATH": self.root}
        named = f"aether {words[0]} of {self.version}"
        try:
            return subprocess.run(  # noqa: S603  # a build's own interpreter and code, no shell
                [self.python, "-m", "cli.entry", *words],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandError(f"{named} did not end in {COMMAND_SECONDS:.0f} s") from None
        except OSError as error:
            raise CommandError(f"{named} could not be started: {error}") from error


def this_build() -> Build:
    """Return the build that this process is of."""
    return Build(str(ROOT), sys.executable, code_version())


def note_build(state: StateDirectory) -> None:
    """Note which build starts the installation."""
    write_atomically(state.run / FILE, json.dumps(asdict(this_build())).encode(), 0o600)


def noted_build(state: StateDirectory) -> Build | None:
    """Return the build that started the installation last, None where that is not known."""
    try:
        found = Build(**json.loads((state.run / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return found if Path(found.python).exists() and Path(found.root).is_dir() else None

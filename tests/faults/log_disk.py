"""A small file system for the logs of a stack alone, so that its disk can be full."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTES = 64
CHUNK = bytes(2**16)
MOUNT_SECONDS = 10


class LogDisk:
    """What `AETHER_HOME/logs` is on; ``lacking`` says why it cannot be filled, if it cannot."""

    def __init__(self, directory: Path, lacking: str = "") -> None:
        self.lacking = lacking
        self._ballast = directory / "ballast"

    def fill(self) -> bool:
        """Leave no byte free; False where the disk is not ours to fill."""
        if self.lacking:
            return False
        descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            for size in (len(CHUNK), 4096, 1):
                self._write_until_full(descriptor, size)
        finally:
            os.close(descriptor)
        return True

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    @staticmethod
    def _write_until_full(descriptor: int, size: int) -> None:
        while True:
            try:
                os.write(descriptor, CHUNK[:size])
            except OSError:
                return


@contextmanager
def log_disk(home: Path) -> Iterator[LogDisk]:
    """Mount a disk of its own for the logs of a home where that is permitted; unmount it after."""
    directory = home / "logs"
    directory.mkdir(parents=True, exist_ok=True)
    lacking = _mount(directory)
    try:
        yield LogDisk(directory, lacking)
    finally:
        if not lacking:
            _unmount(directory)


def _unmount(directory: Path) -> None:
    """Take the disk away; what was logged stays in the directory beneath it."""
    kept = directory.with_name("logs-kept")
    shutil.copytree(directory, kept)
    _run("umount", "--lazy", str(directory))
    shutil.copytree(kept, directory, dirs_exist_ok=True)
    shutil.rmtree(kept)


def _mount(directory: Path) -> str:
    """Return why nothing could be mounted, an empty text if it was."""
    options = f"size={MEGABYTES}m,mode=0755"
    return _run("mount", "-t", "tmpfs", "-o", options, "aether-logs", str(directory))


def _run(program: str, *words: str) -> str:
    path = shutil.which(program)
    if path is None:
        return f"{program} is not there"
    done = subprocess.run(
        [path, *words], capture_output=True, text=True, timeout=MOUNT_SECONDS, check=False
    )
    return " ".join(done.stderr.split()) if done.returncode else ""

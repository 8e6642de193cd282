"""Kubernetes Secrets: one file per document in a mounted directory.

The kubelet replaces what is mounted by moving one symbolic link (``..data``), so that all files
change at once. Each read looks through that link anew; names are read from one of its targets, so
that two generations are never mixed. Documents are written by whoever owns the Secret: kubectl, a
pipeline, or External Secrets.
"""

import hashlib
import json
from pathlib import Path

from infra.runtime.secrets.store import (
    Content,
    Document,
    SecretsDamagedError,
    SecretsMissingError,
    SecretsReadOnlyError,
)

GENERATION = "..data"
ATTEMPTS = 5
"""How often a read is tried anew that fell between two generations."""


def file_name(name: str) -> str:
    """Return the key of a Secret for a document: a slash is none of its characters."""
    return name.replace("/", ".")


class MountedSecrets:
    """Documents as JSON objects in the files of a mounted Secret."""

    kind = "Kubernetes Secrets"
    is_writable = False

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> Document | None:
        """Return a document as it is now, None when there is none."""
        raw = self._file(file_name(name))
        if raw is None:
            return None
        try:
            content = json.loads(raw)
        except ValueError:
            content = None
        if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
            raise SecretsDamagedError(f"{self._directory / file_name(name)} is no object of texts")
        return Document(name, hashlib.sha256(raw).hexdigest(), content)

    def write(self, name: str, content: Content, version: str) -> str:
        """Refuse: the owner of the Secret writes it."""
        del content, version
        raise SecretsReadOnlyError(
            f"secrets are mounted by Kubernetes and not written here: put {file_name(name)} into "
            "the Secret, then check it"
        )

    def remove(self, name: str) -> None:
        """Refuse: the owner of the Secret writes it."""
        raise SecretsReadOnlyError(
            f"secrets are mounted by Kubernetes and not removed here: take {file_name(name)} out "
            "of the Secret"
        )

    def names(self) -> list[str]:
        """Return the names of all documents, in order."""
        files = self._generation().iterdir()
        return sorted(
            one.name.replace(".", "/") for one in files if one.is_file() and one.name[0] != "."
        )

    def check(self) -> None:
        """Look whether something is mounted and can be read; raise what is wrong."""
        for name in self.names():
            self.read(name)

    def _generation(self) -> Path:
        """Return the directory that holds the files of one generation."""
        link = self._directory / GENERATION
        try:
            return link.resolve(strict=True) if link.is_symlink() else self._existing()
        except OSError:
            raise SecretsMissingError(f"nothing is mounted at {self._directory}") from None

    def _existing(self) -> Path:
        if not self._directory.is_dir():
            raise SecretsMissingError(f"nothing is mounted at {self._directory}")
        return self._directory

    def _file(self, name: str) -> bytes | None:
        for _ in range(ATTEMPTS):
            generation = self._generation()
            try:
                return (generation / name).read_bytes()
            except FileNotFoundError:
                if self._generation() == generation:
                    return None
            except OSError as error:
                raise SecretsDamagedError(f"{error.filename}: {error.strerror}") from None
        raise SecretsDamagedError(f"{self._directory} changes all the time")

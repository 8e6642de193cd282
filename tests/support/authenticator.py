"""A passkey in software, as the benchmark uses it too."""

from cli.bench.authenticator import Authenticator, decoded, encoded

__all__ = ["Authenticator", "decoded", "encoded"]

"""Credentials of exchange keys."""

from dataclasses import dataclass
from typing import Protocol

from models.trading.risk.limits import Mode


@dataclass(frozen=True, slots=True)
class Credentials:
    """An exchange key. ``repr`` never shows the secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials(key=…{self.key[-4:]}, secret=hidden)"


class Secrets(Protocol):
    """Where credentials live; never in a payload, log or answer."""

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode, None when there is none."""
        ...

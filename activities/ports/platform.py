"""What the platform's workflow needs from the record, as a protocol."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from activities.ports.rules import UniverseAuthorship
from models.trading.settings.versions import ChangeRequest, SettingsDecision, SettingsVersion
from models.trading.universe.pairs import Universe, UniverseProposal


@dataclass(frozen=True, slots=True)
class MadeVersion:
    """A version of the settings that an earlier equal request has made."""

    version: int
    dangerous: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StandingUniverse:
    """The universe in force and the newest proposal, with its number where it is stored."""

    universe: Universe
    proposal: UniverseProposal
    number: int | None = None


@dataclass(frozen=True, slots=True)
class WantedUniverse:
    """A change of the universe that waits, as somebody has asked for it."""

    request_id: str
    approval: str
    author: str
    reason: str
    version: int
    proposal: int | None
    joins: tuple[str, ...]
    leaves: tuple[str, ...]
    at: datetime


class FreezeRecord(Protocol):
    """What the record knows of changes that are held back."""

    async def held_by_freeze(self, request: str, at: datetime) -> str:
        """Return why changes are frozen at a protocol time, "" where they are not.

        A request whose person has broken the glass is not held.
        """
        ...


class GovernanceRecord(FreezeRecord, Protocol):
    """What an approval rests on beside its workflow: the record is asked before it counts."""

    async def was_authenticated(
        self, account: str, approval: str, by: str, content: str = ""
    ) -> bool:
        """Tell whether who approves was signed in, had the right and has confirmed it.

        With a ``content`` it must be what was shown to them.
        """
        ...


class PlatformRecord(GovernanceRecord, Protocol):
    """The platform's settings and universe in the record; every write may be repeated."""

    async def settings(self) -> SettingsVersion:
        """Return the settings in force; version zero are the defaults."""
        ...

    async def trades_live(self) -> bool:
        """Tell whether any account trades live."""
        ...

    async def settings_made_by(self, request_id: str) -> MadeVersion | None:
        """Return the version that a request has made before."""
        ...

    async def save_settings(
        self, request_id: str, request: ChangeRequest, decision: SettingsDecision
    ) -> None:
        """Write the version of a decision, audited, once by its request."""
        ...

    async def universe(self) -> StandingUniverse:
        """Return the universe and what is proposed for it."""
        ...

    async def held_symbols(self) -> Collection[str]:
        """Return the pairs of which any account holds something or has a trade open."""
        ...

    async def save_wanted(self, wanted: WantedUniverse) -> int:
        """Write a change that waits, audited, once by its request; return its number."""
        ...

    async def is_waiting(self, number: int) -> bool:
        """Tell whether a change of the universe waits."""
        ...

    async def settle_wanted(
        self, number: int, by: str, at: datetime, made: Universe | None, author: UniverseAuthorship
    ) -> None:
        """Note that a change was refused, or applied with the version it makes; once, audited."""
        ...

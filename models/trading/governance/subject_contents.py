"""What a request for approval carries, by its subject, as the JSON that is stored with it.

An entry, worse exits and a lifted drawdown are carried by the account or trade that waits; anything
else by the request itself, so that it can be shown, confirmed and carried out when nobody waits.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, TypeVar

from models.trading.governance.subjects import Subject


@dataclass(frozen=True, slots=True)
class SettingsContent:
    """A change of settings: plain values by name, based on a version."""

    updates: dict[str, Any]
    reason: str
    based_on: int


@dataclass(frozen=True, slots=True)
class UniverseContent:
    """A change of the universe: its number in the record, the version it makes, its symbols."""

    number: int
    version: int
    reason: str
    joins: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveContent:
    """A request to go live: its number, and whether it goes on without proof of a profit.

    ``key`` is the fingerprint of the live key when it was asked for, ``limits_version`` that of the
    settings: what whoever decides is shown, and agrees to. Empty and zero where there was none.
    """

    number: int
    overrides_evidence: bool
    key: str = ""
    limits_version: int = 0


@dataclass(frozen=True, slots=True)
class LiftContent:
    """The lift of a kill switch: its number, who engaged it, accounts and pairs (none: all)."""

    number: int
    engaged_by: str
    accounts: tuple[str, ...]
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromotionContent:
    """A model to trade from then on, by its content's hash, and the one it replaces."""

    model: str
    previous: str


@dataclass(frozen=True, slots=True)
class KeyContent:
    """A change of an exchange key; ``fingerprint`` names it without showing any of it."""

    operation: str
    fingerprint: str


SubjectContent = (
    SettingsContent | UniverseContent | LiveContent | LiftContent | PromotionContent | KeyContent
)

CONTENTS: Final[dict[Subject, type[SubjectContent]]] = {
    Subject.CHANGE_SETTINGS: SettingsContent,
    Subject.UNIVERSE: UniverseContent,
    Subject.GO_LIVE: LiveContent,
    Subject.LIFT_KILL_SWITCH: LiftContent,
    Subject.PROMOTE_MODEL: PromotionContent,
    Subject.EXCHANGE_KEY: KeyContent,
}
Content = TypeVar("Content", bound=SubjectContent)


def write_content(content: SubjectContent) -> str:
    """Return a content as JSON with sorted keys, so that equal ones are equal texts."""
    return json.dumps(asdict(content), sort_keys=True, ensure_ascii=False)


def read_content(kind: type[Content], text: str) -> Content:
    """Read a content of one kind.

    Raises:
        ValueError: the text is none of it.
    """
    try:
        told = json.loads(text)
        known = {field.name for field in fields(kind)}
        if not isinstance(told, dict) or not set(told) <= known:
            raise ValueError(f"no {kind.__name__}")
        lists = {n: tuple(map(str, v)) for n, v in told.items() if isinstance(v, list)}
        make: Callable[..., Content] = kind
        return make(**{**told, **lists})
    except (TypeError, RecursionError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from error

"""What a shadow needs of the record: a model that decides and trades nothing, before people ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from activities.ports.learning.models import ResolvedPrediction


@dataclass(frozen=True, slots=True)
class Shadow:
    """A model in shadow: since when, and how many decisions are wanted of it.

    ``decisions`` and ``reason`` are None while it decides; ``reason`` is empty where it has passed.
    """

    run_id: str
    version: int
    wanted: int
    began_at: datetime
    decisions: int | None = None
    reason: str | None = None


class ShadowRecord(Protocol):
    """The record of shadows; OSError where it does not answer. Each call may be repeated."""

    async def begin_shadow(self, run_id: str, version: int, wanted: int) -> Shadow:
        """Let a run's model decide in shadow from now on, once; return it as it stands."""
        ...

    async def end_shadow(self, run_id: str, decisions: int, reason: str) -> Shadow:
        """End it, once; return it as it ended."""
        ...

    async def decisions(self, version: int, since: datetime) -> Sequence[ResolvedPrediction]:
        """Return the decisions of a version since a time, oldest first."""
        ...

"""Which messages to a running workflow are copies, or too old to act on.

Whoever reaches Temporal's port can send an authentic payload again that he has seen before: each is
bound to its workflow and its name, and opens as well the second time. So the moment at which it was
sealed is part of what is authenticated, and so is the nonce, which no two payloads share.

An update is answered at once or not at all, so that an old one is always a copy. It is refused when
it was sealed longer than ``UPDATE_LIFE`` ago, before this run of its workflow began, or when its
nonce was taken in this run already. A run knows all nonces that it has taken, for a replay shows it
its own history; of what an earlier run has taken none can be young enough for the next. This holds
for every update of every workflow, also of one that is written tomorrow.

A signal may rightly wait for hours until a worker runs. What bounds it is the order: it is refused
when it was sealed ``SIGNAL_SLACK`` before the newest one taken, or before the run began, or twice.
Nothing of that depends on when it is handled, so that each replay decides the same.
"""

from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import Payload

from infra.runtime.temporal.codec import SEAL_NONCE, SEALED_AT

UPDATE_LIFE = timedelta(seconds=60)
"""Longer than any caller waits for an answer."""
SIGNAL_SLACK = timedelta(seconds=30)
"""Longer than a client repeats a request to Temporal that was not answered (10 s)."""
BEGAN_LATER = "sealed before this run of its workflow began"
"""Said of an update that met the change to a new run: its sender seals it anew."""


class ReplayGuard:
    """Judges the messages of one run of a workflow, in the order of its history."""

    def __init__(self, run_began: datetime) -> None:
        self._run_began = run_began
        self._newest = run_began
        self._taken: set[bytes] = set()

    def signal_problem(self, payload: Payload) -> str | None:
        """Return why a signal is not taken, None when it is."""
        sealed_at = _sealed_at(payload)
        if sealed_at is None:
            return None  # of a history from before payloads said when they were sealed
        if sealed_at < self._newest - SIGNAL_SLACK:
            return f"sealed at {sealed_at}, long before what was told since"
        self._newest = max(self._newest, sealed_at)
        return self._taken_before(payload)

    def update_problem(self, payload: Payload, now: datetime) -> str | None:
        """Return why a new update is not taken, None when it is; ``now``: of its turn."""
        sealed_at = _sealed_at(payload)
        if sealed_at is None:
            return "without the moment at which it was sealed"
        if sealed_at < self._run_began:
            return f"{BEGAN_LATER}, at {sealed_at}"
        if now - sealed_at > UPDATE_LIFE:
            return f"sealed at {sealed_at}, which is too old"
        return self._taken_before(payload)

    def note_update(self, payload: Payload) -> None:
        """Remember an update that the history shows as taken."""
        self._taken.add(payload.metadata.get(SEAL_NONCE, b""))

    def _taken_before(self, payload: Payload) -> str | None:
        nonce = payload.metadata.get(SEAL_NONCE, b"")
        if nonce in self._taken:
            return "a copy of one that was taken"
        self._taken.add(nonce)
        return None


def _sealed_at(payload: Payload) -> datetime | None:
    written = payload.metadata.get(SEALED_AT, b"")
    return datetime.fromtimestamp(int(written) / 1_000_000, UTC) if written else None

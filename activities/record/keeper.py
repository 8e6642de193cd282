"""Adds rows to the tree, and has its checkpoints signed and cosigned when they are due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from activities.ports.record import (
    CheckpointSigner,
    RecordDamagedError,
    RecordTree,
    StoredCheckpoint,
    Witness,
    WitnessRefusedError,
    WitnessUnavailableError,
)
from models.trading.governance.record.cadence import due_reason

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0

Alarm = Callable[[str, str], Awaitable[None]]
"""Told the action (``witness_refused``, ``record_damaged``) and why."""


class RecordKeeper:
    """Keeps one installation's tree; one process at a time.

    Args:
        tree: the stored tree.
        signer: the log's key.
        witness: who watches the tree grow.
        clock: protocol time.
        alarm: told once of each fault, while it stands.
        others: further witnesses. A checkpoint is cosigned when every one has signed it.
    """

    def __init__(
        self,
        tree: RecordTree,
        signer: CheckpointSigner,
        witness: Witness,
        clock: Callable[[], datetime],
        alarm: Alarm,
        others: Sequence[Witness] = (),
    ) -> None:
        self._tree = tree
        self._signer = signer
        self._witnesses = (witness, *others)
        self._clock = clock
        self._alarm = alarm
        self._size = 0
        self._at: datetime | None = None
        self._pending: frozenset[str] = frozenset()
        self.fault = ""

    async def look(self) -> None:
        """Add what was committed since, and make a checkpoint when one is due."""
        try:
            size = await self._integrate()
            reason = due_reason(size, self._pending, self._size, self._at, self._clock())
            if reason:
                await self._checkpoint(size, reason)
        except RecordDamagedError as error:
            await self._fail("record_damaged", str(error))
        except WitnessRefusedError as error:
            await self._fail("witness_refused", str(error))
        else:
            self.fault = ""

    async def close(self) -> None:
        """Make the last checkpoint, at shutdown."""
        try:
            await self._checkpoint(await self._integrate(), "shutdown")
        except (RecordDamagedError, WitnessRefusedError) as error:
            log.warning("the record's last checkpoint is not cosigned", error=str(error))

    async def run(self, stop: asyncio.Event) -> None:
        """Look again and again until told to stop; then make the last checkpoint."""
        while not stop.is_set():
            try:
                await self.look()
            except (ConnectionError, OSError) as error:
                log.warning("the record's tree is not kept now", error=str(error))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue
        try:
            await self.close()
        except (ConnectionError, OSError) as error:
            log.warning("no checkpoint at the end", error=str(error))

    async def _integrate(self) -> int:
        while True:
            added = await self._tree.integrate()
            self._pending |= added.actions
            if added.complete:
                return added.size

    async def _checkpoint(self, size: int, reason: str) -> None:
        now = self._clock()
        note = self._signer.signed(size, await self._tree.root(size), now)
        try:
            lines = [await self._cosign(witness, size, note) for witness in self._witnesses]
        except WitnessUnavailableError as error:
            # Kept all the same: signed, and not cosigned is what it says.
            log.warning("the record's witness does not answer", error=str(error))
            await self._tree.save_checkpoint(StoredCheckpoint(size, now, reason, note, False))  # noqa: FBT003
            return
        cosigned = note + "".join(lines)
        await self._tree.save_checkpoint(StoredCheckpoint(size, now, reason, cosigned, True))  # noqa: FBT003
        self._size, self._at, self._pending = size, now, frozenset()

    async def _cosign(self, witness: Witness, size: int, note: str) -> str:
        """Return a witness's line; each has its own memory, so growth is proven to each."""
        old = await witness.cosigned_size()
        if old > size:
            raise WitnessRefusedError(
                f"the record has {size} rows, and {old} were cosigned: rows were cut off, or an "
                "older copy was restored"
            )
        return await witness.cosign(old, await self._tree.consistency(old, size), note)

    async def _fail(self, action: str, why: str) -> None:
        if why != self.fault:
            log.error("the record cannot be protected", fault=action, why=why)
            self.fault = why
            await self._alarm(action, why)

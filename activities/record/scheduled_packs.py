"""Evidence packs at regular times: each has the rows since the one before, and their growth."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from activities.ports.record import PackTarget, Selection
from activities.record.evidence import EvidenceExporter, Pack
from models.trading.governance.record.evidence import CHECKPOINT

BEGUN, LATEST = "begun", "latest.json"


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest complete pack: its name, the tree's size, and the checkpoint that it ends with."""

    pack: str
    size: int
    checkpoint: str


class ScheduledPacks:
    """Makes the pack that is due, or goes on with the one that was begun.

    Args:
        root: where the packs' names are kept.
        target: returns the place of a pack by its name.
        exporter: writes packs.
        every: time from one pack to the next; a pack is named by when its time began.
        clock: protocol time.
    """

    def __init__(
        self,
        root: PackTarget,
        target: Callable[[str], PackTarget],
        exporter: EvidenceExporter,
        every: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._root = root
        self._target = target
        self._exporter = exporter
        self._every = every
        self._clock = clock

    async def look(self) -> Pack | None:
        """Make what is due, None when nothing is; after a failure the next look goes on with it.

        Raises:
            OSError: it could not be written.
            PackRefusedError: no checkpoint was signed yet.
        """
        begun = ((await self._root.read(BEGUN)) or b"").decode()
        latest = await self._latest()
        name = begun or self._name()
        if not begun and latest is not None and latest.pack == name:
            return None
        await self._root.write(BEGUN, name.encode())
        target = self._target(name)
        first = 0 if latest is None else latest.size
        previous = None if latest is None else latest.checkpoint
        pack = await self._exporter.export(target, Selection(first=first), previous)
        note = await target.read(CHECKPOINT)
        assert note is not None  # the export has written it
        document = {"pack": name, "size": pack.tree_size, "checkpoint": note.decode()}
        await self._root.write(LATEST, json.dumps(document).encode())
        await self._root.write(BEGUN, b"")
        return pack

    async def _latest(self) -> Latest | None:
        raw = await self._root.read(LATEST)
        return None if raw is None else Latest(**json.loads(raw))

    def _name(self) -> str:
        epoch = datetime.fromtimestamp(0, UTC)
        begins = epoch + self._every * ((self._clock() - epoch) // self._every)
        return begins.strftime("%Y-%m-%dT%H%MZ")

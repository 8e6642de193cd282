"""Evidence packs that people ask for over the API, made one after the other and kept for a week."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from activities.ports.record import PackDesk, RecordDamagedError
from activities.record.evidence import EvidenceExporter, Pack, PackRefusedError

KEPT: Final = timedelta(days=7)
"""How long the files of a pack can be fetched."""
ROWS_MAXIMUM: Final = 100_000
"""Rows of a pack that is kept in the database; larger ones go to a directory or a bucket."""


class RequestedPacks:
    """Makes the oldest pack that was asked for.

    Args:
        desk: has the requests, and takes the files.
        exporter: writes packs.
        clock: protocol time.
    """

    def __init__(
        self, desk: PackDesk, exporter: EvidenceExporter, clock: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._exporter = exporter
        self._clock = clock

    async def look(self) -> Pack | None:
        """Make a pack, or go on with one that was begun; None when none is asked for.

        Raises:
            OSError: the database does not answer; the next look goes on.
            RecordDamagedError: a row is not what was recorded; whoever asked is told so too.
        """
        await self._desk.forget(self._clock() - KEPT)
        wanted = await self._desk.next_wanted()
        if wanted is None:
            return None
        rows = await self._desk.count(wanted.selection)
        if rows > ROWS_MAXIMUM:
            reason = f"{rows} rows, at most {ROWS_MAXIMUM}: use aether audit export-pack"
            await self._desk.refuse(wanted.pack, reason, self._clock())
            return None
        try:
            made = await self._exporter.export(self._desk.target(wanted.pack), wanted.selection)
        except PackRefusedError as error:
            await self._desk.refuse(wanted.pack, str(error), self._clock())
            return None
        except RecordDamagedError as error:
            await self._desk.refuse(wanted.pack, str(error), self._clock())
            raise
        await self._desk.finish(wanted.pack, made.rows, made.tree_size, self._clock())
        return made

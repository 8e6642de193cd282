"""Where the candles of `aether backtest` come from: a directory, and the running platform."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.runtime.errors import NotRunningError
from infra.runtime.settings import Settings
from models.contracts.backtests import HISTORY_PREFIX, RECORD_VENUE

if TYPE_CHECKING:
    from activities.adapters.postgres.market.recorded_bars import KeptHistory
    from models.learning.backtest.bars import Bars


class Candles:
    """Reads series of so many minutes: of folders, of the record, and of kept history."""

    def __init__(
        self, data: Path, pairs: Sequence[str], venues: Sequence[str], end: datetime | None
    ) -> None:
        """Take what is wanted; without venues every folder of the directory is."""
        self._kept: list[KeptHistory] = []
        self._parts: list[Callable[[int], Sequence[tuple[str, Bars]]]] = []
        folders = [one for one in venues if not is_of_platform(one)]
        if folders or not venues:
            from activities.adapters.candle_files.reading import files_of

            self._parts.append(files_of(data, pairs, folders, end))
        platform = [one for one in venues if is_of_platform(one)]
        self.place = ", ".join([*([str(data)] if self._parts else []), *platform])
        for venue in platform:
            self._parts.append(self._of_platform(venue, pairs, end))

    @property
    def unused(self) -> tuple[str, ...]:
        """Return in words of which kept series nothing could be used, and why."""
        return tuple(line for one in self._kept for line in one.unused)

    def __call__(self, minutes: int) -> "list[tuple[str, Bars]]":
        """Return the series; NotRunningError where the platform's database does not answer."""
        from psycopg import OperationalError

        try:
            return [one for part in self._parts for one in part(minutes)]
        except OperationalError as error:
            raise NotRunningError(
                f"no stack of {Settings().home} runs, so there are no candles of {self.place}: "
                f"aether up (the database does not answer: {' '.join(str(error).split())})"
            ) from None

    def _of_platform(
        self, venue: str, pairs: Sequence[str], end: datetime | None
    ) -> "Callable[[int], Sequence[tuple[str, Bars]]]":
        from activities.adapters.postgres.market.recorded_bars import KeptHistory, recorded_bars
        from infra.runtime.database.connections import Role, database_url

        url = database_url(Settings(), Role.MARKET)
        if venue == RECORD_VENUE:
            return lambda minutes: recorded_bars(url, pairs, minutes, end)
        self._kept.append(KeptHistory(url, venue, pairs, end))
        return self._kept[-1]


def is_of_platform(venue: str) -> bool:
    """Tell whether a venue's candles are the running platform's, and no folder's."""
    return venue == RECORD_VENUE or venue.startswith(HISTORY_PREFIX)

"""What running backtests needs of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from models.trading.strategies.out_of_sample import OutOfSampleTrade


@dataclass(frozen=True, slots=True)
class BacktestProgress:
    """How far a backtest is: words for what is under way, and trials done of those planned."""

    stage: str
    done: int = 0
    planned: int = 0


class BacktestRecord(Protocol):
    """Keep progress and results; OSError where the record does not answer. Calls may repeat.

    A backtest that has ended stays as it ended: calls about it do nothing.
    """

    async def progress(self, run_id: str, progress: BacktestProgress, at: datetime) -> None:
        """Note that the backtest runs and how far it is."""

    async def finish(
        self,
        run_id: str,
        documents: Sequence[dict[str, Any]],
        page: str,
        proven: Sequence[OutOfSampleTrade],
        at: datetime,
    ) -> None:
        """Keep every result and the page, and that it is finished: all or nothing.

        ``proven`` becomes evidence of its versions with it, as far as no result covers it yet.
        """

    async def end(self, run_id: str, state: str, reason: str, at: datetime) -> None:
        """Note that it ended without a result: ``refused`` or ``cancelled``."""

"""The schedules of data from outside: as the settings say, and none where they say nothing."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from temporalio.client import Client, ScheduleActionStartWorkflow

from infra.runtime.data_settings import OFF
from infra.runtime.settings import Settings
from models.contracts.market.data import (
    MARKET_DATA_QUEUE,
    MARKET_DATA_WORKFLOW,
    DataWork,
    MarketDataRun,
    market_data_id,
)
from workers.schedules.cron import keep_cron_schedule

LONGEST_RUN: Final = timedelta(hours=20)
CATCH_UP: Final = timedelta(hours=12)
NIGHTLY: Final = "23 1 * * *"
"""Of history on Kraken's market, after CoinGecko has told the day's close (at 00:35)."""


def wanted_schedules(settings: Settings) -> Mapping[DataWork, str | None]:
    """Return when each work is done, None where it is not."""
    history = settings.history_schedule or (NIGHTLY if settings.market == "kraken" else OFF)
    sanctions = settings.sanctions_schedule if settings.sanctions_list else OFF
    sentiment = settings.sentiment_schedule if settings.sentiment else OFF
    said = {
        DataWork.HISTORY: history,
        DataWork.SANCTIONS: sanctions,
        DataWork.SENTIMENT: sentiment,
    }
    return {work: None if cron in ("", OFF) else cron for work, cron in said.items()}


async def keep_data_schedules(
    client: Client, wanted: Mapping[DataWork, str | None], queue: str = MARKET_DATA_QUEUE
) -> None:
    """Create, change or remove the schedules; a new one starts its first run at once.

    Raises:
        RPCError: Temporal does not answer.
    """
    for work, cron in wanted.items():
        action = ScheduleActionStartWorkflow(
            MARKET_DATA_WORKFLOW,
            MarketDataRun(work.value),
            id=market_data_id(work),
            task_queue=queue,
            execution_timeout=LONGEST_RUN,
        )
        await keep_cron_schedule(client, market_data_id(work), cron, action, CATCH_UP, at_once=True)

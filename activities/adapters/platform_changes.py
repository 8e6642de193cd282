"""Making a version of the platform's settings, and having every account told of it."""

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.market_rules import MarketRulesRun
from models.contracts.names import MARKET_RULES_ID, TELL_MARKET_RULES_WORKFLOW, TRADING_QUEUE
from models.trading.answers import Answer
from models.trading.settings.versions import ChangeRequest


async def tell_accounts(client: Client, version: int) -> None:
    """Have every account told of a version, once."""
    try:
        await client.start_workflow(
            TELL_MARKET_RULES_WORKFLOW,
            MarketRulesRun(f"settings {version}"),
            id=f"{MARKET_RULES_ID}/settings-{version}",
            task_queue=TRADING_QUEUE,
            task_timeout=DECIDING_TASK_TIMEOUT,
        )
    except WorkflowAlreadyStartedError:
        return


class PlatformChanges:
    """Carries out what another person has agreed to."""

    def __init__(self, settings: PostgresPlatformSettings, client: Client) -> None:
        self._settings = settings
        self._client = client

    async def change(self, request_id: str, wanted: ChangeRequest) -> Answer:
        """Make the change, once by its request's id, and have the accounts told."""
        made = await self._settings.change(request_id, wanted)
        if made.row is None:
            failure = made.verdict.failures[0]
            return Answer(
                request_id,
                failure.code,
                made.verdict.reason,
                verdict=made.verdict,
                dangerous=made.dangerous,
            )
        await tell_accounts(self._client, made.row.version)
        detail = f"version {made.row.version} of the platform's settings is being told"
        return Answer(
            request_id,
            "accepted",
            detail,
            settings_version=made.row.version,
            dangerous=made.dangerous,
        )

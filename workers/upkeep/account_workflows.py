"""Starting what runs for an account for ever, wherever it is found not to run."""

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.temporal.engagements import start_engagements
from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.hedges import HedgeInput
from models.contracts.names import (
    PLATFORM_WORKFLOW_ID,
    TRADING_QUEUE,
    account_workflow_id,
    hedge_workflow_id,
    stream_workflow_id,
)
from models.contracts.platform import PlatformInput
from models.contracts.workflows import AccountInput, AccountToFollow
from models.trading.account.state import AccountState
from workflows.account.hedge import HedgeWorkflow
from workflows.account.workflow import AccountWorkflow
from workflows.governance.platform import PlatformWorkflow
from workflows.market.streams import AccountStreamWorkflow


async def start_kill_switches(client: Client, journal: PostgresJournal) -> None:
    """Start the workflow of every engagement that stands: its API may have died before it could."""
    standing = await journal.kill_switches(only_engaged=True)
    await start_engagements(client, [row.engagement() for row in standing])


async def start_platform(client: Client) -> None:
    """Start the platform's workflow, unless it runs already."""
    await client.start_workflow(
        PlatformWorkflow.run,
        PlatformInput(),
        id=PLATFORM_WORKFLOW_ID,
        task_queue=TRADING_QUEUE,
        task_timeout=DECIDING_TASK_TIMEOUT,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def start_account(client: Client, state: AccountState) -> None:
    """Start an account's workflow, its stream and its hedge, unless they run already."""
    account = state.account
    await client.start_workflow(
        AccountWorkflow.run,
        AccountInput(state),
        id=account_workflow_id(account),
        task_queue=TRADING_QUEUE,
        task_timeout=DECIDING_TASK_TIMEOUT,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.start_workflow(
        AccountStreamWorkflow.run,
        AccountToFollow(account, ()),
        id=stream_workflow_id(account),
        task_queue=TRADING_QUEUE,
        task_timeout=DECIDING_TASK_TIMEOUT,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.start_workflow(
        HedgeWorkflow.run,
        HedgeInput(account),
        id=hedge_workflow_id(account),
        task_queue=TRADING_QUEUE,
        task_timeout=DECIDING_TASK_TIMEOUT,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )

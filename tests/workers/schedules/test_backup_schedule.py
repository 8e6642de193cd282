"""The schedule of backups is what the setting says, and its runs make one by the command."""

import sys
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import ActivityEnvironment

from activities.operation.backups import BackupActivities
from infra.runtime.temporal.client import connect
from models.contracts.backups import BACKUP_ID, BACKUP_WORKFLOW, BackupDone, BackupRequest
from tests.support.temporal import NAMESPACE, access
from workers.backups.process import backup_worker
from workers.schedules.backups import keep_backup_schedule

SAYS = "import sys; assert sys.argv[1:] == ['backup', 'create', '--verify', '--json']; "
GOOD = (sys.executable, "-c", SAYS + 'print(\'{"backup": "20260101T000000Z-abc"}\')')
BAD = (sys.executable, "-c", "import sys; sys.exit('error: no room is left')")


@pytest.fixture
async def client(temporal_address):
    return await connect(temporal_address, NAMESPACE, [], tls=access(temporal_address))


async def crons(client):
    """Return hour and minute of the schedule, None where there is none."""
    try:
        found = await client.get_schedule_handle(BACKUP_ID).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    (calendar,) = found.schedule.spec.calendars
    return calendar.hour[0].start, calendar.minute[0].start


async def test_it_is_made_changed_and_removed_as_the_setting_says(client):
    await keep_backup_schedule(client, None)
    assert await crons(client) is None
    await keep_backup_schedule(client, "17 2 * * *")
    assert await crons(client) == (2, 17)
    await keep_backup_schedule(client, "30 4 * * *")
    assert await crons(client) == (4, 30)
    await keep_backup_schedule(client, None)
    assert await crons(client) is None


async def test_a_run_makes_one_backup_and_names_it(client):
    queue = f"backups-{uuid4().hex}"
    async with backup_worker(client, BackupActivities(GOOD), queue):
        done = await client.execute_workflow(
            BACKUP_WORKFLOW,
            BackupRequest("a test"),
            id=f"backup-{uuid4().hex}",
            task_queue=queue,
            result_type=BackupDone,
        )
    assert done == BackupDone("20260101T000000Z-abc")


async def test_what_is_in_the_way_is_told():
    with pytest.raises(ApplicationError, match="no room is left"):
        await ActivityEnvironment().run(BackupActivities(BAD).back_up, BackupRequest("a test"))

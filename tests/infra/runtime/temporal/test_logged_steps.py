"""Ids of the work under way are in its lines, and in nothing that outlives it."""

import asyncio
import json
import logging
import subprocess
import sys

import structlog
from structlog.testing import capture_logs

from infra.runtime.logs import correlated, with_ids

log = structlog.get_logger()


async def test_lines_of_the_work_and_its_tasks_carry_its_ids_and_those_of_what_lives_on_do_not():
    go = asyncio.Event()

    async def stream():
        log.info("opened")
        await go.wait()
        log.info("later")

    with capture_logs(processors=[with_ids]) as lines:
        with correlated(workflow_id="trade/company/1"), correlated(client_order_id="one"):
            opened = asyncio.create_task(stream())
            await asyncio.sleep(0)
            log.info("here", client_order_id="its own")
        log.info("after")
        go.set()
        await opened
    found = {line.pop("event"): line for line in lines}
    ids = {"workflow_id": "trade/company/1", "client_order_id": "one"}
    assert {**found["opened"], "log_level": ""} == {**ids, "log_level": ""}
    assert found["here"]["client_order_id"] == "its own"
    assert "workflow_id" not in found["after"]
    assert "workflow_id" not in found["later"]


def test_lines_of_libraries_carry_them_too():
    script = (
        "import logging; from infra.runtime.logs import configure_logs, correlated\n"
        "configure_logs('tried')\n"
        "with correlated(workflow_id='trade/company/1'):\n"
        "    logging.getLogger('library').warning('said')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    line = json.loads(done.stdout)
    assert (line["event"], line["workflow_id"]) == ("said", "trade/company/1")
    assert logging.getLogger("library").name == line["logger"]

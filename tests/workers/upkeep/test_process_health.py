"""What a process that serves nothing else says of itself, asked over HTTP as others ask."""

import asyncio
import json
from types import SimpleNamespace
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from activities.events.bridge import EventBridge
from activities.notifications.pump import NotificationPump
from activities.ports.events import BrokerUnavailableError
from tests.support.free_ports import free_block
from workers.upkeep.process_health import ProcessHealth

LOOK = 0.02


async def ask(port, path):
    """Return status and body."""

    def read():
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    return await asyncio.to_thread(read)


async def ready(port):
    status, body = await ask(port, "/readyz")
    return status, json.loads(body)


async def until(port, wanted):
    ends = asyncio.get_running_loop().time() + 10
    while not wanted(found := await ready(port)):
        assert asyncio.get_running_loop().time() < ends, found
        await asyncio.sleep(LOOK)
    return found


@pytest.fixture
def port():
    return free_block()


async def test_each_part_is_starting_then_ok_and_says_what_is_wrong_when_it_goes_away(port):
    answers = [None, ConnectionError("the server went away")]

    async def probe():
        if answers[0]:
            raise answers[0]

    async with ProcessHealth(port, "database", "worker", look_seconds=LOOK) as health:
        assert (await ready(port))[0] == 503
        assert (await ask(port, "/healthz"))[0] == 200
        health.ask("database", probe)
        _, told = await until(port, lambda found: found[1]["checks"]["database"] == "ok")
        assert told["checks"] == {"database": "ok", "worker": "starting", "process": "ok"}
        health.ask("worker", probe)
        await until(port, lambda found: found[0] == 200)
        answers.reverse()
        _, told = await until(port, lambda found: found[0] == 503)
        assert told["checks"]["database"] == "ConnectionError: the server went away"
        _, figures = await ask(port, "/metrics")
        assert 'aether_process_part_ready{part="database"} 0.0' in figures
        assert 'aether_process_part_ready{part="process"} 1.0' in figures
        assert "process_resident_memory_bytes" in figures


async def test_a_part_that_never_answers_is_told_and_others_are_asked_all_the_same(
    port, monkeypatch
):
    monkeypatch.setattr("workers.upkeep.process_health.ANSWER_SECONDS", 0.05)

    async def works():
        """Answer."""

    async with ProcessHealth(port, "broker", "database", look_seconds=LOOK) as health:
        health.ask("broker", asyncio.Event().wait)
        health.ask("database", works)
        _, told = await until(port, lambda found: found[1]["checks"]["broker"] == "no answer")
        assert told["checks"]["database"] == "ok"


async def test_a_process_that_gets_to_nothing_is_not_ready(port, monkeypatch):
    monkeypatch.setattr("workers.upkeep.process_health.BUSY_SECONDS", 0.2)
    async with ProcessHealth(port, look_seconds=LOOK):
        assert (await until(port, lambda found: found[0] == 200))[1]["checks"] == {"process": "ok"}
        # The loop is held; its port answers from a thread of its own.
        found = _ready_while_the_loop_is_held(port)
        assert found["status"] == "not ready"
        assert "has not come to look" in found["checks"]["process"]


def _ready_while_the_loop_is_held(port):
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
        except HTTPError as error:
            return json.loads(error.read())


async def test_only_its_own_figures_are_told(port):
    async with ProcessHealth(port):
        _, figures = await ask(port, "/metrics")
        assert "aether_protection_waiting_count" not in figures


async def test_the_notifying_process_is_ready_only_while_the_record_is_looked_at(port):
    class Record:
        fails = False

        async def pending_actions(self, _):
            if self.fails:
                raise ConnectionError("away")
            return []

    record, stop = Record(), asyncio.Event()
    async with ProcessHealth(port, look_seconds=LOOK) as health:
        looked = health.expect("record", 0.5)
        assert (await ready(port))[1]["checks"]["record"] == "starting"
        record.fails = True
        running = asyncio.create_task(NotificationPump(record, None, looked).run(stop))
        await asyncio.sleep(0.1)
        assert (await ready(port))[1]["checks"]["record"] == "starting"
        record.fails = False
        await until(port, lambda found: found[0] == 200)
        _, figures = await ask(port, "/metrics")
        assert 'aether_process_work_age_seconds{work="record"} 0.' in figures
        record.fails = True
        _, told = await until(port, lambda found: found[0] == 503)
        assert told["checks"]["record"].startswith("not done for ")
        stop.set()
        await running


async def test_a_broker_that_is_away_is_a_degraded_mode_of_a_process_that_is_ready(port):
    class Outbox:
        async def scopes(self):
            return ["company"]

        async def waiting(self, _):
            return [SimpleNamespace(sequence=1)]

    class Broker:
        async def publish(self, _):
            raise BrokerUnavailableError("nobody listens")

    async with ProcessHealth(port, look_seconds=LOOK) as health:
        rounds = []

        def told(why):
            rounds.append(why)
            health.degrade("events", why)

        outbox = Outbox()
        bridge = asyncio.create_task(EventBridge(outbox, Broker(), None, told).run())
        _, found = await until(port, lambda found: found[1]["degraded_modes"])
        assert found["degraded_modes"] == ["events: nobody listens"]
        assert found["status"] == "ready"
        outbox.waiting = _nothing
        await until(port, lambda found: not found[1]["degraded_modes"])
        assert rounds[-1] == ""
        bridge.cancel()
        await asyncio.gather(bridge, return_exceptions=True)


async def _nothing(_):
    return []

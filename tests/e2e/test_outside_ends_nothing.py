"""On a whole stack: what a caller, a neighbour or a full disk does ends nothing that must go on."""

import asyncio
import json
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from infra.runtime.settings import Settings
from tests.support.free_ports import free_block
from tests.support.own_stack import own_home, stack_in, wait_until
from workers.connection import connect_temporal

BACK_SECONDS = 10.0
ANSWER_SECONDS = 2.0
HALF_OPEN = 1_100
DISK_MEGABYTES = 700
FOR_EVER = ("account/", "trade/", "stream/", "hedge/")


@contextmanager
def a_disk(directory: Path):
    """Mount a small file system; skip where that is not permitted."""
    directory.mkdir(parents=True)
    mount = shutil.which("mount")
    if mount is None:
        pytest.skip("mount is not there")
    options = f"size={DISK_MEGABYTES}m,mode=0755"
    words = [mount, "-t", "tmpfs", "-o", options, "aether-home", str(directory)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], timeout=10, check=False)


def fill(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as disk:
        for size in (2**20, 4_096, 1):
            with suppress(OSError):
                while True:
                    disk.write(bytes(size))


def settings_of(stack) -> Settings:
    return Settings(home=stack.home, port_base=stack.port_base, market="generated", speed="10")


def open_trades(stack):
    return [t for t in stack.trades("company") if t["phase"] == "open"]


async def running(client: Client) -> set[str]:
    found = client.list_workflows("ExecutionStatus = 'Running'")
    return {w.id async for w in found if w.id.startswith(FOR_EVER)}


async def terminate_everything(settings: Settings) -> float:
    """Terminate what should run for ever; return the seconds until all of it is back."""
    client = await connect_temporal(settings)
    ended = await running(client)
    assert any(name.startswith("trade/") for name in ended)
    for name in ended:
        await client.get_workflow_handle(name).terminate("by a neighbour on the machine")
    began = time.monotonic()
    while ended - await running(client):
        assert time.monotonic() - began < BACK_SECONDS, ended - await running(client)
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def stop_orders(stack) -> set[str]:
    record = httpx.get(
        f"http://127.0.0.1:{stack.port_base + 3}/control/record",
        params={"account": "company"},
        timeout=10,
    ).json()
    return {o["order_id"] for o in record["orders"] if o["order_type"].startswith("stop")}


def test_nothing_from_outside_ends_an_account_or_the_way_to_stop_it():
    with own_home() as home, stack_in(home, free_block(), SPEED="10") as stack:
        wait_until(lambda: open_trades(stack), "a trade is open", 120)
        stops = stop_orders(stack)
        asyncio.run(terminate_everything(settings_of(stack)))
        assert stops <= stop_orders(stack)
        verified = stack.json("verify")
        assert verified["clean"], verified["findings"]

        with ExitStack() as opened:
            for port, number in ((0, HALF_OPEN), (4, 20), (5, 20), (3, HALF_OPEN)):
                for _ in range(number):
                    address = ("127.0.0.1", stack.port_base + port)
                    opened.enter_context(socket.create_connection(address, 5))
            for port in (0, 4, 5):
                url = f"http://127.0.0.1:{stack.port_base + port}"
                assert httpx.get(f"{url}/healthz", timeout=ANSWER_SECONDS).is_success
            assert httpx.get(f"{url}/readyz", timeout=ANSWER_SECONDS).is_success
            began = time.monotonic()
            stopped = stack.json("kill-switch", "engage", "--reason", "beside a flood", "--flatten")
            assert time.monotonic() - began < ANSWER_SECONDS + 3  # starting the command included
        assert stopped["silent"] == []
        wait_until(lambda: not open_trades(stack), "all is closed", 30)


def test_full_disk_is_said_and_the_kill_switch_stops_all_the_same():
    with own_home() as home, a_disk(home), stack_in(home, free_block(), SPEED="10") as stack:
        wait_until(lambda: open_trades(stack), "a trade is open", 120)
        url = f"http://127.0.0.1:{stack.port_base}"
        ballast = home / "ballast"
        fill(ballast)

        ready = httpx.get(f"{url}/readyz", timeout=10)
        assert ready.status_code == 503
        assert ready.json()["checks"]["disk"] != "ok"
        told = stack.aether("kill-switch", "engage", "--reason", "the disk is full", "--json")
        assert told.returncode == 0, told.stderr
        engaged = json.loads(told.stdout)
        assert set(engaged["accounts"]) >= {"company", "director-1", "director-2"}

        ballast.unlink()
        wait_until(lambda: stack.aether("kill-switch", "status").returncode == 0, "API is back", 60)
        wait_until(
            lambda: (
                [s["reason"] for s in stack.json("kill-switch", "status")] == ["the disk is full"]
            ),
            "the stop is recorded once",
            60,
        )
        verified = stack.json("verify", "--grace", "15")
        assert verified["clean"], verified["findings"]

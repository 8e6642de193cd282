"""What the simulator says of itself, and that scripted faults leave it alone."""

import json
from pathlib import Path

import aiohttp
import pytest

from tests.support.free_ports import free_block
from workers.exchange.accounts import generate_accounts
from workers.exchange.app import HEALTH
from workers.exchange.server import Options, Server


async def _get(port, path):
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_the_simulator_tells_its_health_and_why_it_is_not_ready(tmp_path):
    generate_accounts(tmp_path / "accounts.json")
    options = Options(
        port=free_block(), speed="10", accounts=Path(tmp_path / "accounts.json"), warmup_bars=1
    )
    server = Server(options)
    await server.start()
    try:
        assert (await _get(server.port, "/healthz"))[0] == 200
        status, told = await _get(server.port, "/readyz")
        assert (status, json.loads(told)["checks"]) == (200, {"timers": "ok", "market": "ok"})
        _, figures = await _get(server.port, "/metrics")
        assert 'aether_process_part_ready{part="market"} 1.0' in figures
        assert 'aether_simulator_open_orders_count{account="company"} 0.0' in figures
        assert 'aether_simulator_connections_count{plane="public"} 0.0' in figures
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{server.port}/control/faults"
            async with session.post(url, json={"kind": "refuse_connections"}) as answer:
                assert answer.status == 200
            with pytest.raises(aiohttp.ClientError):
                await _get(server.port, "/0/public/Time")
        assert (await _get(server.port, "/readyz"))[0] == 200
        moving = server._runner.app[HEALTH].tasks["market"]
        moving.cancel()
        status, told = await _get(server.port, "/readyz")
        assert (status, "has stopped" in told) == (503, True)
    finally:
        await server.stop()

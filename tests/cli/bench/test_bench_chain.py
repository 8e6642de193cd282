import asyncio
import threading

from cli.bench.chain import Chain, measure_chain
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from tests.support.temporal import NAMESPACE, access, eventually


async def test_chain_is_measured_over_the_encrypted_client_until_it_is_stopped(temporal_address):
    keys = [PayloadKey("one", b"0" * 32)]
    client = await connect(temporal_address, NAMESPACE, keys, tls=access(temporal_address))
    chain, ready, stop = Chain(), threading.Event(), threading.Event()
    measuring = asyncio.create_task(measure_chain(client, chain, ready, stop))
    await eventually(lambda: len(chain.update_round_trip) >= 2, "two links were measured")
    stop.set()
    await measuring
    assert ready.is_set()
    assert all(0 < value < 10_000 for value in chain.signal_to_activity)
    assert len(chain.signal_to_activity) == len(chain.update_round_trip)
    async for left in client.list_workflows("WorkflowType = 'ChainWorkflow'"):
        assert left.status is not left.status.RUNNING

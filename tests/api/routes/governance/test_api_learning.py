"""Learning over the API: off by default, no trade in force, and one way back, audited."""

import pytest_asyncio

from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key

ROOT = "/api/v1/learning"


@pytest_asyncio.fixture
async def director(platform):
    async with signed_in(platform.app, PORT_BASE, platform.admin) as caller:
        yield caller


async def test_no_training_begins_while_learning_is_off(director):
    answer = await director.post(f"{ROOT}/trainings", json={"reason": "try"}, headers=a_key())
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("learning-off")


async def test_no_trade_is_in_force_and_what_was_never_tried_is_empty(platform):
    champion = (await platform.caller.get(f"{ROOT}/champion")).json()
    assert champion["model"] == "no-trade"
    assert (await platform.caller.get(f"{ROOT}/trainings")).json() == []
    assert (await platform.caller.get(f"{ROOT}/trials")).json() == []


async def test_way_back_is_gone_once_for_each_key_and_audited(platform, director):
    key = a_key()
    words = {"json": {"reason": "it loses"}, "headers": key}
    first = await director.post(f"{ROOT}/champion/rollback", **words)
    again = await director.post(f"{ROOT}/champion/rollback", **words)
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["model"] == "no-trade"
    in_force = (await platform.caller.get(f"{ROOT}/champion")).json()
    assert in_force["number"] == first.json()["number"]


async def test_stranger_learns_nothing(platform):
    assert (await platform.stranger.get(f"{ROOT}/champion")).status_code == 401

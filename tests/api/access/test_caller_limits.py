"""How much one caller may ask: by person, by token and by address; what stops is never counted."""

from datetime import UTC, datetime

import pytest

from activities.adapters.postgres.installation import create_token
from api.access.limits import BURST_SECONDS, CALLERS_KEPT, UNLIMITED, Buckets, CallerLimits
from api.access.rules import ROUTES
from infra.runtime.settings import Settings
from tests.support.people import FROM_OUR_PAGE, signed_in
from tests.support.platform import PORT_BASE, a_key, loopback, running_platform

ACCOUNTS = "/api/v1/accounts"
FEW = Settings(caller_requests=1, stranger_requests=1)


class Clock:
    """A time that stands until it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def fresh(postgres):
    async with running_platform(postgres, postgres.new_database(), None) as running:
        running.clock = Clock()
        yield running


def begin_counting(platform):
    platform.services.limits = CallerLimits(FEW, platform.clock)


async def use_up(caller, path=ACCOUNTS, times=BURST_SECONDS):
    return {(await caller.get(path)).status_code for _ in range(times)}


def test_a_bucket_lets_a_burst_pass_then_what_time_fills_and_says_how_long_to_wait():
    clock = Clock()
    buckets = Buckets(0.5, clock)
    assert [buckets.take("a") for _ in range(7)] == [None] * 5 + [2, 2]
    assert buckets.take("b") is None
    clock.now += 1.0
    assert buckets.take("a") == 1
    clock.now += 1.0
    assert [buckets.take("a"), buckets.take("a")] == [None, 2]
    clock.now += 10_000
    assert [buckets.take("a") for _ in range(6)] == [None] * 5 + [2]


def test_no_more_callers_are_remembered_than_there_is_room_for():
    buckets = Buckets(1, Clock())
    for _ in range(BURST_SECONDS):
        buckets.take("first")
    assert buckets.take("first") is not None
    for number in range(CALLERS_KEPT + 5):
        buckets.take(str(number))
    assert len(buckets) == CALLERS_KEPT
    assert buckets.take("first") is None


def test_addresses_of_one_network_share_a_bucket_and_those_of_others_do_not():
    limits = CallerLimits(FEW, Clock())
    for number in range(BURST_SECONDS):
        limits.count_stranger("sign_in", f"2001:db8::{number:x}")
    with pytest.raises(Exception, match="from this address"):
        limits.count_stranger("sign_in", "2001:db8::ffff")
    for other in ("2001:db8:0:1::1", "127.0.0.1", "::ffff:127.0.0.2", "testclient"):
        limits.count_stranger("sign_in", other)


def test_what_is_never_counted_are_operations_that_there_are():
    assert UNLIMITED - set(ROUTES) == set()
    assert {"engage_kill_switch", "sign_out", "refuse", "get_health"} <= UNLIMITED


async def test_a_token_in_a_loop_is_told_to_wait_and_takes_nothing_from_others(fresh):
    begin_counting(fresh)
    other = await create_token(fresh.admin, "other", "administrator", datetime.now(UTC))
    async with loopback(fresh.app, other, PORT_BASE) as beside:
        assert await use_up(fresh.caller) == {200}
        refused = await fresh.caller.get(ACCOUNTS)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert refused.json()["type"] == "urn:aether:problem:too-many-requests"
        assert "this token" in refused.json()["detail"]
        assert (await beside.get(ACCOUNTS)).status_code == 200
        assert (await fresh.stranger.get(ACCOUNTS)).status_code == 401
        fresh.clock.now += 1
        assert (await fresh.caller.get(ACCOUNTS)).status_code == 200
        assert (await fresh.caller.get(ACCOUNTS)).status_code == 429


async def test_a_stop_passes_whatever_its_caller_has_asked_before(fresh):
    account = await fresh.add_account()
    begin_counting(fresh)
    await use_up(fresh.caller)
    assert (await fresh.caller.get(ACCOUNTS)).status_code == 429
    stop = {"reason": "a test of the limits"}
    engaged = await fresh.caller.post("/api/v1/kill-switch", json=stop, headers=a_key())
    assert engaged.status_code == 202, engaged.text
    halt = f"{ACCOUNTS}/{account}/halt"
    halted = await fresh.caller.post(halt, json={"reason": "a test"}, headers=a_key())
    assert halted.status_code != 429
    for path in ("/healthz", "/metrics"):
        assert (await fresh.caller.get(path)).status_code == 200
    counted = (await fresh.caller.get("/metrics")).text
    assert 'aether_requests_limited_total{caller="token"}' in counted


async def test_a_person_has_one_bucket_for_all_her_sessions_and_can_always_sign_out(fresh):
    async with signed_in(fresh.app, PORT_BASE, fresh.admin) as person:
        begin_counting(fresh)
        assert await use_up(person) == {200}
        refused = await person.get("/api/v1/me")
        assert refused.status_code == 429
        assert "this person" in refused.json()["detail"]
        assert (await fresh.caller.get(ACCOUNTS)).status_code == 200
        gone = await person.post("/api/v1/sign-out", headers=FROM_OUR_PAGE)
        assert gone.status_code in (200, 204), gone.text


async def test_strangers_are_counted_by_address_and_cost_nobody_else_anything(fresh):
    begin_counting(fresh)
    assert await use_up(fresh.stranger) == {401}
    wrong = {"Authorization": "Bearer nobodys"}
    for path, headers in ((ACCOUNTS, {}), (ACCOUNTS, wrong), ("/api/v1/openapi.json", {})):
        answer = await fresh.stranger.get(path, headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1"), path
    shown = {"name": "somebody", "password": "x" * 20}
    sign_in = await fresh.stranger.post("/api/v1/sign-in", json=shown, headers=FROM_OUR_PAGE)
    assert (sign_in.status_code, sign_in.json()["type"][19:]) == (429, "too-many-requests")
    assert (await fresh.stranger.get("/healthz")).status_code == 200
    assert (await fresh.caller.get(ACCOUNTS)).status_code == 200


async def test_the_description_tells_of_the_limit_where_one_holds(fresh):
    document = (await fresh.caller.get("/api/v1/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            limited = path.startswith("/api/v1") and operation["operationId"] not in UNLIMITED
            assert ("429" in operation["responses"]) == limited, operation["operationId"]

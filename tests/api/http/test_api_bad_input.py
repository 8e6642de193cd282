"""Each bad input has its typed refusal, and leaves the books as they were."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.http.problems import REFUSAL_STATUS
from tests.support.platform import a_key

GOOD = {"symbol": "BTC/USD", "stop_price": "47500", "quantity": "0.01"}


async def refused(platform, account, body, status, kind, **options):
    before = await platform.books(account)
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Content-Type": "application/json"} | options.pop("headers", a_key())
    path = options.pop("path", "trades")
    method = options.pop("method", "POST")
    answer = await platform.caller.request(
        method, f"/api/v1/accounts/{account}/{path}", content=content, headers=headers, **options
    )
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:aether:problem:{kind}"), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert await platform.books(account) == before
    return problem


@pytest.mark.parametrize(
    ("changed", "status", "kind"),
    [
        ({"symbol": "ETH/USD"}, 404, "unknown-pair"),
        ({"symbol": "BTC/EUR"}, 422, "not-usd-spot"),
        ({"symbol": "PF_XBTUSD"}, 422, "not-usd-spot"),
        ({"symbol": "BTC/USD\x00"}, 422, "invalid-request"),
        ({"symbol": "BTC/USD\n"}, 422, "invalid-request"),
        ({"symbol": "\ud800"}, 422, "invalid-request"),
        ({"symbol": ""}, 422, "invalid-request"),
        ({"symbol": 5}, 422, "invalid-request"),
        ({"symbol": "X" * 65}, 422, "invalid-request"),
        ({"quantity": "0.00001"}, 422, "below-minimum"),
        ({"quantity": "3"}, 422, "insufficient-balance"),
        ({"quantity": "1e20"}, 422, "invalid-quantity"),
        ({"quantity": "0.0100000001"}, 422, "invalid-quantity"),
        ({"quantity": "-0.01"}, 422, "invalid-request"),
        ({"quantity": "0"}, 422, "invalid-request"),
        ({"quantity": "1e-2000"}, 422, "invalid-request"),
        ({"quantity": "1e1000000"}, 422, "invalid-request"),
        ({"quantity": 10**400}, 422, "invalid-request"),
        ({"quantity": "a lot"}, 422, "invalid-request"),
        ({"quantity": True}, 422, "invalid-request"),
        ({"quantity": []}, 422, "invalid-request"),
        ({"stop_price": "NaN"}, 422, "invalid-request"),
        ({"stop_price": "sNaN"}, 422, "invalid-request"),
        ({"stop_price": "Infinity"}, 422, "invalid-request"),
        ({"stop_price": "-Infinity"}, 422, "invalid-request"),
        ({"stop_price": float("nan")}, 422, "invalid-request"),
        ({"stop_price": float("inf")}, 422, "invalid-request"),
        ({"stop_price": None}, 422, "invalid-request"),
        ({"stop_price": "51000"}, 422, "stop-on-wrong-side"),
        ({"stop_price": "50000"}, 422, "stop-on-wrong-side"),
        ({"take_profit_price": "49000"}, 422, "take-profit-on-wrong-side"),
        ({"take_profit_price": "50010"}, 422, "not-worth-costs"),
        ({"order_type": "stop-loss"}, 422, "invalid-request"),
        ({"order_type": "limit"}, 422, "invalid-price"),
        ({"limit_price": "49000"}, 422, "invalid-price"),
        ({"order_type": "limit", "limit_price": "0.01"}, 422, "invalid-price"),
        ({"protection": "none"}, 422, "invalid-request"),
        ({"stop_prise": "47500"}, 422, "invalid-request"),
        ({"\ud800": 1}, 422, "invalid-request"),
    ],
)
async def test_bad_order_is_refused_by_its_type(platform, account, changed, status, kind):
    await refused(platform, account, GOOD | changed, status, kind)


@pytest.mark.parametrize(
    "field", ["leverage", "margin", "Leverage", "reduce_only", "short", "futures"]
)
async def test_margin_is_refused_and_audited(platform, account, field):
    before = len(await platform.audited(account, "margin_refused"))
    await refused(platform, account, GOOD | {field: 2}, 422, "margin-refused")
    nested = GOOD | {"options": [{field: "2:1"}]}
    await refused(platform, account, nested, 422, "margin-refused")
    await refused(platform, account, GOOD, 422, "margin-refused", params={field: "2"})
    audited = await platform.audited(account, "margin_refused")
    assert len(audited) == before + 3
    assert audited[0]["details"] == {"fields": field.lower(), "operation": "open_trade"}


async def test_margin_on_a_stop_is_refused_too(platform, account):
    body = {"stop_price": "48000", "leverage": "5"}
    options = {"path": "trades/1/stop", "method": "PATCH"}
    await refused(platform, account, body, 422, "margin-refused", **options)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("{", 400, "malformed-json"),
        ('{"symbol": "BTC/USD",}', 400, "malformed-json"),
        ("[" * 5000, 400, None),
        (b"\xff\xfe", 400, None),
        ("[]", 422, "invalid-request"),
        ("null", 422, "invalid-request"),
        ("", 422, "invalid-request"),
        ('"margin"', 422, "invalid-request"),
    ],
)
async def test_body_that_is_no_order_is_refused(platform, account, body, status, kind):
    if kind is not None:
        await refused(platform, account, body, status, kind)
        return
    answer = await platform.caller.post(
        f"/api/v1/accounts/{account}/trades",
        content=body,
        headers=a_key() | {"Content-Type": "application/json"},
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "idempotency-key-required"),
        ({"Idempotency-Key": "short"}, "idempotency-key-invalid"),
        ({"Idempotency-Key": "x" * 129}, "idempotency-key-invalid"),
        ({"Idempotency-Key": "with a space"}, "idempotency-key-invalid"),
    ],
)
async def test_command_without_a_usable_key_is_refused(platform, account, headers, kind):
    await refused(platform, account, GOOD, 400, kind, headers=headers)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("trades/999/close", 404, "unknown-trade"),
        ("trades/0/close", 422, "invalid-request"),
        ("trades/-1/close", 422, "invalid-request"),
        ("trades/one/close", 422, "invalid-request"),
        (f"trades/{10**30}/close", 422, "invalid-request"),
    ],
)
async def test_trade_that_is_none_cannot_be_closed(platform, account, path, status, kind):
    await refused(platform, account, "", status, kind, path=path)


async def test_account_that_is_none_is_refused(platform):
    path = "/api/v1/accounts/nobody/trades"
    answer = await platform.caller.post(path, json=GOOD, headers=a_key())
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "urn:aether:problem:unknown-account",
    )
    answer = await platform.caller.post(path, json=GOOD | {"margin": 1}, headers=a_key())
    assert (answer.status_code, answer.json()["type"]) == (
        404,
        "urn:aether:problem:unknown-account",
    )


@pytest.mark.parametrize(
    "query",
    [
        "trades?limit=0",
        "trades?limit=501",
        "trades?before=99999999999999",
        "trades?open=perhaps",
        "orders?trade=99999999999999",
        "orders?limit=x",
    ],
)
async def test_bad_query_is_refused(platform, account, query):
    await refused(platform, account, "", 422, "invalid-request", path=query, method="GET")


@pytest.mark.parametrize("action", ["DROP TABLE", "x" * 65])
async def test_bad_audit_filter_is_refused(platform, action):
    answer = await platform.caller.get(f"/api/v1/audit/platform?action={action}")
    assert answer.json()["type"] == "urn:aether:problem:invalid-request"


@pytest.mark.parametrize(
    "reason", ["", "no", "x" * 501, "line\nbreak", "nul\x00", "\ud800\ud800ab"]
)
async def test_bad_reason_is_refused(platform, account, reason):
    await refused(platform, account, {"reason": reason}, 422, "invalid-request", path="halt")


@pytest.mark.parametrize(
    ("mode", "status", "kind"),
    [("live", 403, "person-required"), ("paper", 422, "invalid-request")],
)
async def test_mode_that_cannot_be_is_refused(platform, account, mode, status, kind):
    body = {"mode": mode}
    await refused(platform, account, body, status, kind, path="mode", method="PUT")


def test_no_answer_that_stands_asks_for_a_repeat():
    assert all(status < 500 for status in REFUSAL_STATUS.values())


async def test_no_price_or_an_old_one_opens_nothing(platform, account):
    await platform.set_market(stale=True)
    await refused(platform, account, GOOD, 409, "stale-market")
    await platform.set_market()
    platform.services.market_followed = False
    await refused(platform, account, GOOD, 409, "stale-market")
    platform.services.market_followed = True


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.decimals().map(str),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    body=st.dictionaries(
        st.sampled_from(["symbol", "stop_price", "quantity", "limit_price", "trailing_distance"])
        | st.text(max_size=8),
        ANYTHING,
        max_size=5,
    )
)
async def test_any_body_gets_an_answer_that_is_no_bug(platform, account, body):
    answer = await platform.caller.post(
        f"/api/v1/accounts/{account}/trades",
        content=json.dumps(body),
        headers=a_key() | {"Content-Type": "application/json"},
    )
    assert 400 <= answer.status_code < 500
    assert answer.json()["type"].startswith("urn:aether:problem:")

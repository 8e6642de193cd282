"""What a port of ours refuses before anybody asks who sends it."""

import pytest

from infra.runtime.http.guard import HttpGuard, configured_names

GUARD = HttpGuard(
    7400, configured_names("desk.example, trade.example:8443"), frozenset({"http://127.0.0.1:7402"})
)
OWN = ("Host", "127.0.0.1:7400")


def code(*headers, method="GET", guard=GUARD, **options):
    refused = guard.refusal(method, headers, **options)
    return None if refused is None else refused.code


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7400", "LOCALHOST:7400", "[::1]:7400", "desk.example", "trade.example:8443"]
)
def test_own_names_are_answered(host):
    assert code(("Host", host)) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:7400",
        "127.0.0.1",
        "127.0.0.1:7403",
        "127.0.0.1.evil.example:7400",
        "trade.example",
        "desk.example:7400",
        "[::1]",
        "",
    ],
)
def test_a_name_that_points_here_is_not_ours(host):
    assert code(("Host", host)) == "foreign-host"


def test_a_request_names_exactly_one_host():
    assert code() == "foreign-host"
    assert code(OWN, ("host", "evil.example")) == "foreign-host"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:7403", "file://", "ftp://localhost:7400"],
)
def test_pages_of_other_origins_are_refused(origin):
    assert code(OWN, ("Origin", origin), method="POST") == "foreign-origin"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:7400", "http://127.0.0.1:7402"])
def test_own_pages_and_named_ones_may_call(origin):
    assert code(OWN, ("Origin", origin), ("Sec-Fetch-Site", "same-site")) is None


def test_what_a_browser_fetches_for_another_site_is_refused():
    assert code(OWN, ("Sec-Fetch-Site", "cross-site")) == "foreign-origin"
    assert code(OWN, ("Sec-Fetch-Site", "same-site")) == "foreign-origin"
    assert code(OWN, ("Sec-Fetch-Site", "same-origin")) is None
    assert code(OWN, ("Sec-Fetch-Site", "none")) is None
    follows = ("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Mode", "navigate")
    assert code(OWN, *follows) is None
    assert code(OWN, *follows, method="POST") == "foreign-origin"


def test_bodies_are_json():
    body = ("Content-Length", "2")
    assert code(OWN, body, method="POST") == "not-json"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
        assert code(OWN, body, ("Content-Type", kind), method="POST") == "not-json"
    assert code(OWN, ("Transfer-Encoding", "chunked"), method="POST") == "not-json"
    assert code(OWN, body, ("Content-Type", "application/json; charset=utf-8")) is None
    assert code(OWN, ("Content-Length", "0"), method="POST") is None
    assert code(OWN, body, ("Content-Type", "text/plain"), only_json=False) is None

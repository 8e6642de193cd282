"""No endpoint but health is open, and every route says what it takes and gives."""

import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from activities.adapters.postgres.installation import (
    create_token,
    renew_token,
    revoke_token,
    token_hash,
)
from api.messages.schemas import Limits
from models.trading.risk.limits import AccountLimits
from tests.support.platform import a_key, loopback

OPEN = {"/healthz", "/readyz", "/metrics", "/set-up", "/set-up/set_up.js"}
SIGNING_IN = {
    "/api/v1/sign-in",
    "/api/v1/sign-in/second-factor",
    "/api/v1/enrolment",
    "/api/v1/enrolment/look",
}
"""What is taken from strangers is looked at by itself: see ``test_people_sessions``."""
TEXTS = (
    "text/plain",
    "application/yaml",
    "text/csv",
    "application/x-ndjson",
    "text/html",
    "application/zip",
)

OPERATIONS = {
    "start_training",
    "cancel_training",
    "list_trainings",
    "list_trials",
    "get_champion",
    "get_drift",
    "roll_back_champion",
    "list_accounts",
    "get_account",
    "list_positions",
    "list_watches",
    "list_reconciliations",
    "list_unknown_orders",
    "halt_account",
    "resume_account",
    "change_mode",
    "preview_trade",
    "get_trade_story",
    "get_control_room",
    "follow_events",
    "get_report",
    "export_trades",
    "sign_in",
    "sign_out",
    "open_trade",
    "close_trade",
    "move_stop",
    "list_trades",
    "get_trade",
    "list_orders",
    "list_kill_switches",
    "engage_kill_switch",
    "lift_kill_switch",
    "get_freeze",
    "begin_freeze",
    "end_freeze",
    "review_break",
    "list_audit_entries",
    "search_audit_entries",
    "export_audit_entries",
    "get_record_protection",
    "get_status",
    "get_system",
    "get_universe",
    "list_universe_versions",
    "get_universe_proposal",
    "list_universe_changes",
    "request_universe_change",
    "approve_universe_change",
    "refuse_universe_change",
    "get_correlations",
    "list_market_candles",
    "list_market_figures",
    "list_market_doubts",
    "list_market_sentiment",
    "list_market_data_work",
    "run_stress",
    "list_stress_runs",
    "get_stress_run",
    "list_days",
    "list_limits",
    "list_lots",
    "list_gains",
    "export_lots",
    "export_gains",
    "list_slippage",
    "get_drawdown",
    "lift_drawdown",
    "get_capital",
    "move_capital",
    "get_portfolio",
    "get_portfolios",
    "get_going_live",
    "check_going_live",
    "get_shadow_report",
    "list_approvals",
    "get_approval",
    "approve",
    "refuse",
    "get_hedge",
    "override_hedge",
    "clear_hedge_override",
    "list_hedge_reviews",
    "change_exits",
    "get_assessment",
    "get_settings_definitions",
    "get_account_settings",
    "list_account_settings",
    "change_account_settings",
    "export_account_settings",
    "get_platform_settings",
    "list_platform_settings",
    "change_platform_settings",
    "export_platform_settings",
    "list_live_requests",
    "request_going_live",
    "approve_going_live",
    "list_mode_changes",
    "open_codec_session",
    "decode_payloads",
    "complete_sign_in",
    "look_at_enrolment",
    "enrol",
    "get_me",
    "list_sessions",
    "revoke_session",
    "change_password",
    "list_factors",
    "add_totp",
    "list_questions",
    "ask_advisor",
    "get_explanation",
    "get_signal_graph",
    "list_predictions",
    "list_models",
    "confirm_totp",
    "begin_passkey",
    "finish_passkey",
    "remove_factor",
    "replace_recovery_codes",
    "ask_step_up",
    "confirm_step_up",
    "list_tokens",
    "make_token",
    "revoke_token",
    "list_people",
    "list_authors",
    "invite_person",
    "change_person",
    "disable_person",
    "reset_factors",
    "list_sessions_of",
    "revoke_session_of",
    "list_recoveries",
    "cancel_recovery",
    "get_rights",
    "get_health",
    "get_readiness",
    "get_metrics",
    "acknowledge_notification",
    "add_channel",
    "ask_for_pack",
    "fetch_pack",
    "get_pack",
    "list_packs",
    "cancel_backtest",
    "check_key",
    "compare_backtests",
    "get_backtest",
    "get_backtest_choices",
    "get_backtest_page",
    "get_channels",
    "get_notification",
    "get_notification_status",
    "get_stored_report",
    "list_backtests",
    "list_keys",
    "list_notifications",
    "list_reports",
    "list_strategies",
    "make_report",
    "post_notification",
    "receive_alerts",
    "remove_channel",
    "remove_key",
    "set_quiet_hours",
    "start_backtest",
    "try_channel",
    "upload_key",
}


def every_route(app):
    """Return path and methods of all routes, hidden ones too."""
    found = []
    for route in app.routes:
        included = getattr(route, "effective_route_contexts", None)
        found += [route] if included is None else included()
    return [(route.path, route.methods) for route in found]


async def test_every_route_but_health_refuses_strangers(platform):
    seen = 0
    for path, methods in every_route(platform.app):
        url = path.replace("{account}", "company").replace("{number}", "1")
        url = url.replace("{scope}", "platform")
        for method in methods if path not in SIGNING_IN else ():
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
                answer = await platform.stranger.request(method, url, headers=headers | a_key())
                if path in OPEN:
                    assert answer.status_code == 200, path
                    continue
                assert answer.status_code == 401, (method, path)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["www-authenticate"]
                assert answer.json()["type"] == "urn:aether:problem:unauthorized"
                seen += 1
    assert seen > 60


async def test_token_revoked_is_worth_nothing(platform):
    name = uuid4().hex
    token = await create_token(platform.admin, name, "auditor", datetime.now(UTC))
    async with loopback(platform.app, token) as caller:
        assert (await caller.get("/api/v1/accounts")).status_code == 200
        await revoke_token(platform.admin, name, datetime.now(UTC))
        platform.services.tokens.remember(token_hash(token), None)
        assert (await caller.get("/api/v1/accounts")).status_code == 401


async def test_documentation_opens_for_a_browser_with_the_token_and_loads_nothing_else(platform):
    asked = await platform.stranger.get("/docs")
    assert asked.headers["www-authenticate"].startswith("Basic ")
    known = ("anybody", platform.token)
    shown = await platform.stranger.get("/docs", auth=known)
    assert shown.status_code == 200
    loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", shown.text)
    assert len(loaded) == 3
    for address in loaded:
        assert address.startswith("/docs/")
        assert (await platform.stranger.get(address)).status_code == 401
        assert (await platform.stranger.get(address, auth=known)).status_code == 200
    assert not re.findall(r"<script(?![^>]*src=)", shown.text)
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert (await platform.stranger.get("/docs/passwd", auth=known)).status_code == 404
    read = await platform.caller.get("/api/v1/openapi.json")
    assert read.json()["info"]["title"] == "Aether"


async def test_every_operation_is_typed_under_a_stable_name(platform):
    document = (await platform.caller.get("/api/v1/openapi.json")).json()
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert {o["operationId"] for o in operations.values()} == OPERATIONS
    assert len(operations) == len(OPERATIONS)
    for (path, _), operation in operations.items():
        good = [r for status, r in operation["responses"].items() if status.startswith("2")]
        for response in good:
            for media, content in response.get("content", {}).items():
                if media == "text/event-stream":
                    continue
                schema = content["schema"]
                is_text = media in TEXTS
                assert is_text or "$ref" in (schema.get("items") or schema), path
        if path.startswith("/api/"):
            problem = operation["responses"]["default"]["content"]
            assert list(problem) == ["application/problem+json"]
            assert "422" not in operation["responses"]


@pytest.mark.parametrize("shape", ["Account", "Trade", "Order", "KillSwitch", "AuditEntry"])
async def test_no_shape_has_a_field_of_unknown_type(platform, shape):
    document = (await platform.caller.get("/api/v1/openapi.json")).json()
    for name, field in document["components"]["schemas"][shape]["properties"].items():
        assert {"type", "$ref", "anyOf"} & field.keys(), name
        if field.get("type") == "object":
            assert field["additionalProperties"] is not True, name


def test_limits_shown_are_all_limits():
    assert set(Limits.model_fields) == {field.name for field in fields(AccountLimits)}


async def test_unknown_paths_and_methods_are_problems(platform):
    for method, path, status, kind in [
        ("GET", "/api/v1/nothing", 404, "not-found"),
        ("DELETE", "/api/v1/accounts", 405, "method-not-allowed"),
        ("GET", "/api/v1/accounts/..%2f..%2fetc%2fpasswd", 404, "not-found"),
        ("GET", "/api/v1/accounts/%2e%2e", 404, "unknown-account"),
        ("GET", "/api/v1/accounts/%00", 400, "malformed-address"),
        ("GET", "/api/v1/accounts/' OR 1=1 --", 422, "invalid-request"),
        ("GET", "/api/v1/audit/%00", 400, "malformed-address"),
        ("GET", f"/api/v1/accounts/{'x' * 5000}", 400, "malformed-address"),
    ]:
        answer = await platform.caller.request(method, path)
        assert answer.status_code == status, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == f"urn:aether:problem:{kind}"


async def test_bug_is_a_problem_too(platform, monkeypatch):
    async def broken():
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(platform.services.database, "accounts", broken)
    with capture_logs() as logged:
        async with loopback(platform.app, platform.token, raise_app_exceptions=False) as caller:
            answer = await caller.get("/api/v1/accounts")
    assert answer.status_code == 500
    assert [entry["event"] for entry in logged] == ["request failed"]
    assert answer.json()["type"] == "urn:aether:problem:internal-error"
    assert "secret" not in answer.text


async def test_an_expired_token_is_refused_and_says_so(without_engine):
    name, past = f"old-{uuid4().hex[:6]}", datetime.now(UTC) - timedelta(days=100)
    token = await create_token(without_engine.admin, name, "administrator", past)
    async with loopback(without_engine.app, token) as caller:
        answer = await caller.get("/api/v1/accounts")
        assert answer.status_code == 401
        assert answer.json()["type"] == "urn:aether:problem:token-expired"
        assert f"aether admin renew-token {name}" in answer.json()["detail"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        await renew_token(without_engine.admin, name, datetime.now(UTC) + timedelta(days=1))
        assert (await caller.get("/api/v1/accounts")).status_code == 200

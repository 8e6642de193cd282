"""What a change freeze holds back can be done at the terminal too, by whoever says why."""

from importlib import import_module

import pytest
import typer

from cli.client import BREAK_GLASS_HEADER
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key

COMMANDS = {
    "change_account_settings": ("settings", "set_values", "import_values"),
    "change_platform_settings": ("settings", "set_values", "import_values"),
    "approve": ("approvals", "approve"),
    "approve_going_live": ("mode", "approve"),
    "change_mode": ("mode", "set_mode"),
    "approve_universe_change": ("universe", "approve"),
    "upload_key": ("keys", "upload"),
    "check_key": ("keys", "check"),
}
"""Which commands send each operation that takes the header: module, then functions."""


async def test_every_operation_that_a_freeze_holds_has_the_option_at_the_terminal(platform):
    document = (await platform.caller.get("/api/v1/openapi.json")).json()
    held = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if any(one["name"] == BREAK_GLASS_HEADER for one in operation.get("parameters", ()))
    }
    assert held == set(COMMANDS)
    for module, *functions in COMMANDS.values():
        app = import_module(f"cli.commands.governance.{module}").app
        known = {c.callback.__name__: c for c in typer.main.get_group(app).commands.values()}
        for function in functions:
            options = {option for p in known[function].params for option in p.opts}
            assert "--break-glass" in options, (module, function)


@pytest.fixture
async def frozen(served):
    """Changes are frozen; a person ends it."""
    async with signed_in(served.app, PORT_BASE, served.admin, factors=2) as person:
        begun = await person.post("/api/v1/freeze", json={"reason": "a test"}, headers=a_key())
        (one,) = begun.json()["standing"]
        yield person
        path = f"/api/v1/freeze/{one['number']}/end"
        ended = await person.post(path, json={"reason": "over"}, headers=a_key())
        assert ended.status_code == 200, ended.text


async def test_the_reason_reaches_the_api_and_a_bad_one_is_told_before(aether, served, frozen):
    own = await served.add_account()
    await served.start_account(own)
    looser = ("settings", "set", own, "risk.risk_share=0.02", "--reason", "wider", "--confirm")
    assert "change-frozen" in await aether(*looser, status=2)
    glass = ("--break-glass", "the limit stops a hedge")
    # A freeze is broken by a person: what the machine's token sends has arrived, and is refused.
    assert "person-required" in await aether(*looser, *glass, status=2)
    for bad in ("short", "schöne Grüße an alle hier", "x" * 501):
        told = await aether(*looser, "--break-glass", bad, status=2)
        assert "10 to 500 ASCII characters" in told

"""`aether settings` beside a served platform."""

import codecs
import json

import pytest_asyncio
import yaml

from tests.support.temporal import eventually


@pytest_asyncio.fixture
async def own(served):
    """An account of the test's own."""
    name = await served.add_account()
    await served.start_account(name)
    return name


async def test_settings_are_shown_set_exported_imported_and_remembered(aether, own, tmp_path):
    shown = await aether("settings", "show", own, "risk.risk_share")
    assert "0.005" in shown
    assert "share (0.05 is five percent)" in shown
    assert "Equity at risk between entry and stop of one trade." in shown
    change = ("settings", "set", own, "risk.risk_share=0.002", "day.starts_at=00:30")
    assert "--confirm" in await aether(*change, "--reason", "earlier", status=2)
    made = json.loads(await aether(*change, "--reason", "earlier", "--confirm", "--json"))
    assert made["dangerous"] == ["day.starts_at"]

    async def written():
        return "earlier" in await aether("settings", "history", own)

    await eventually(written, "the version is in the record")
    assert "day.starts_at: 00:00 -> 00:30 (dangerous)" in await aether("settings", "history", own)
    file = tmp_path / "settings.yaml"
    await aether("settings", "export", own, str(file))
    values = yaml.safe_load(file.read_text())["settings"]
    assert values["day.starts_at"] == "00:30"
    again = ("settings", "import", own, str(file), "--reason", "the same")
    assert "nothing differs" in await aether(*again)
    file.write_text(yaml.safe_dump({"settings": {"risk.risk_share": "0.001"}}))
    assert "version 2" in await aether(*again)


async def test_settings_saved_by_a_windows_editor_are_imported(aether, own, tmp_path):
    file = tmp_path / "settings.yaml"
    await aether("settings", "export", own, str(file))
    document = yaml.safe_load(file.read_text())
    document["settings"]["risk.risk_share"] = "0.004"
    text = yaml.safe_dump(document).replace("\n", "\r\n")
    file.write_bytes(codecs.BOM_UTF8 + text.encode())
    again = ("settings", "import", own, str(file), "--reason", "saved elsewhere")
    assert "version 1" in await aether(*again)
    assert "0.004" in await aether("settings", "show", own, "risk.risk_share")

    async def written():
        return "saved elsewhere" in await aether("settings", "history", own)

    await eventually(written, "the version is in the record")
    history = await aether("settings", "history", own)
    assert [line.strip() for line in history.splitlines() if "->" in line] == [
        "risk.risk_share: 0.005 -> 0.004"
    ]
    assert "nothing differs" in await aether(*again)


async def test_bad_input_ends_in_one_line_and_two(aether, own, tmp_path):
    for words in (
        ("set", own, "risk.risk_share", "--reason", "why"),
        ("set", own, "risk.risk_share=lots", "--reason", "why"),
        ("set", own, "no.such=1", "--reason", "why"),
        ("set", own, "portfolio.bucket_shares={", "--reason", "why"),
        ("show", own, "no.such"),
        ("show", "nobody"),
        ("import", own, str(tmp_path / "none.yaml"), "--reason", "why"),
    ):
        assert (await aether("settings", *words, status=2)).startswith("error: ")

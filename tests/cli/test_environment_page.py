"""The page of environment variables: as the settings make it, and fit to be read anywhere."""

import re

import pytest

from cli import environment_page
from cli.environment_page import PAGE, page
from infra.runtime.settings import Settings

ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)


def test_the_page_is_the_one_that_the_settings_make() -> None:
    assert PAGE.read_text() == page(), "python -m cli.environment_page writes it anew"


def test_every_setting_has_a_row_that_says_what_it_is() -> None:
    rows = ROW.findall(page())
    assert len(rows) == len(Settings.model_fields)
    named = {name for name, *_ in rows}
    assert {"AETHER_HOME", "MARKET", "AETHER_VAULT_ADDRESS", "AETHER_SENTIMENT"} <= named
    pointed = {name for *_, meaning in rows for name in re.findall(r"see `(\w+)`", meaning)}
    assert pointed <= named


def test_no_default_is_a_path_of_one_machine_or_looks_like_a_secret() -> None:
    for name, _, default, _ in ROW.findall(page()):
        assert not default.strip("` ").startswith(("/", "~")), name
        assert not re.search(r"[0-9a-zA-Z+/]{20,}", default), name


def test_a_setting_that_nobody_describes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    told = environment_page._meanings()
    told.pop("vault_address")
    monkeypatch.setattr(environment_page, "_meanings", lambda: told)
    with pytest.raises(LookupError, match="vault_address"):
        page()

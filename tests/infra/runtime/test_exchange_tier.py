"""The simulator's accounts have the tier that the platform's rate budget counts with."""

import json

import pytest
from pydantic import ValidationError

from infra.runtime.secrets import local_secrets
from infra.runtime.settings import Settings
from infra.stack.embedded import Stack
from workers.exchange.accounts import load_accounts


def test_accounts_file_follows_the_tier_of_the_settings(tmp_path):
    for tier in ("pro", "starter"):
        stack = Stack(Settings(home=tmp_path / "home", exchange_tier=tier))
        stack.state.create()
        stack._write_exchange_accounts(local_secrets(stack.state.secrets).create())
        accounts = load_accounts(stack.state.exchange_accounts)
        assert {account.tier for account in accounts} == {tier}
    keys = {row["key"] for row in json.loads(stack.state.exchange_accounts.read_bytes())}
    assert len(keys) == 3


def test_unknown_tier_is_refused(monkeypatch):
    monkeypatch.setenv("AETHER_EXCHANGE_TIER", "platinum")
    with pytest.raises(ValidationError, match="exchange_tier"):
        Settings()

"""How many simulated accounts there are is chosen by the first start, and stays."""

import json

import pytest

from infra.runtime.errors import StateError
from infra.runtime.secrets import local_secrets
from infra.runtime.settings import Settings
from infra.stack.embedded import Stack


def started(home, **settings):
    stack = Stack(Settings(home=home, **settings))
    stack.state.create()
    stack._write_exchange_accounts(local_secrets(stack.state.secrets).create())
    return stack


def names(stack):
    return [row["account"] for row in json.loads(stack.state.exchange_accounts.read_bytes())]


def test_three_accounts_are_set_up_unless_said_otherwise(tmp_path):
    stack = started(tmp_path / "home")
    assert names(stack) == ["company", "director-1", "director-2"]
    kinds = set(stack.settings.first_accounts.values())
    assert kinds == {"company", "director"}


def test_later_starts_go_on_with_the_accounts_that_are_there(tmp_path):
    assert len(names(started(tmp_path / "home", accounts=10))) == 10
    later = started(tmp_path / "home")
    assert len(names(later)) == 10
    assert later.environment()["AETHER_ACCOUNTS"] == "10"


def test_another_number_of_accounts_later_is_refused(tmp_path):
    started(tmp_path / "home", accounts=4)
    with pytest.raises(StateError, match="set up with 4 accounts, not 5"):
        started(tmp_path / "home", accounts=5)

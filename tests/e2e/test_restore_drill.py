"""A trading stack is wiped and comes back from its backup: the drill, as `make restore-drill`."""

import json

import pytest

from tests.drill import older_record
from tests.drill.__main__ import drill, is_good
from tests.support.own_stack import own_home


@pytest.mark.stack
@pytest.mark.alone
@pytest.mark.timeout(900)
def test_a_wiped_stack_comes_back_with_the_same_books_and_stopped():
    with own_home() as home:
        report = drill(home.parent)
    assert is_good(report), json.dumps(report, indent=1)


@pytest.mark.stack
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_what_the_exchange_did_after_the_backup_is_named_and_nobody_s_own():
    with own_home() as home:
        report = older_record.play(home.parent)
    assert older_record.is_good(report), json.dumps(report, indent=1)

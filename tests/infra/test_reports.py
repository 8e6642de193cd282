"""What a failing test shows can always be told to the process that counts."""

import math
from pathlib import Path

import execnet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.reports import sendable

# Any character at all, halves of surrogate pairs too: what a name on disk decodes to.
ANY_TEXT = st.text(st.characters())
SHOWN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(),
    lambda parts: st.lists(parts) | st.dictionaries(ANY_TEXT, parts) | st.tuples(parts),
)


@given(SHOWN)
def test_whatever_a_test_shows_can_be_sent(shown):
    execnet.dumps(sendable(shown))


@pytest.mark.parametrize("plain", ["text é", 7, 1.5, None, True, b"\xff", ["a", ("b",)], {"a": 1}])
def test_what_could_be_sent_before_is_unchanged(plain):
    assert sendable(plain) == plain


def test_what_has_no_form_of_its_own_is_told_by_its_text():
    assert sendable({"path": Path("/a"), "bad": "\udcff"}) == {"path": "/a", "bad": "\\udcff"}
    assert math.isnan(sendable(math.nan))

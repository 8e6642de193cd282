"""The table of what takes two people is whole, and what requests carry survives being stored."""

import pytest

from activities.adapters.postgres.installation import RESERVED_NAMES
from models.trading.governance.rights import RIGHTS
from models.trading.governance.subject_contents import (
    CONTENTS,
    KeyContent,
    LiftContent,
    LiveContent,
    PromotionContent,
    SettingsContent,
    UniverseContent,
    read_content,
    write_content,
)
from models.trading.governance.subjects import (
    PLATFORM,
    SUBJECTS,
    Effect,
    Subject,
    effect_of,
    right_to_ask,
    rule_of,
)


def test_every_subject_has_its_rule_and_approving_takes_a_confirmed_person():
    assert set(SUBJECTS) == set(Subject)
    for subject, rule in SUBJECTS.items():
        right = RIGHTS[rule.approves]
        assert right.step_up, subject
        assert not right.machine, subject
        assert rule.asks in RIGHTS


ASKED_WITH_OTHERS = (Subject.CHANGE_SETTINGS, Subject.PROMOTE_MODEL, Subject.EXCHANGE_KEY)
"""What a token may do as well in part: the route asks for a person where it becomes a request."""


def test_what_is_asked_for_by_people_only_takes_no_token_where_it_is_asked_anew():
    for subject, rule in SUBJECTS.items():
        if rule.by_person and subject not in ASKED_WITH_OTHERS:
            assert not RIGHTS[rule.asks].machine, subject


def test_the_table_says_why_anybody_but_a_person_may_ask():
    for subject, rule in SUBJECTS.items():
        others = not rule.by_person or bool(rule.automatic)
        assert bool(rule.because) is others, subject
        assert rule.by_person or not rule.automatic, subject
    named = frozenset().union(*(rule.automatic for rule in SUBJECTS.values()))
    assert named <= RESERVED_NAMES


def test_unknown_subjects_have_no_rule():
    assert rule_of("raise_limit") is None
    assert rule_of("") is None


def test_settings_of_the_platform_are_the_platforms():
    assert effect_of(Subject.CHANGE_SETTINGS, PLATFORM) is Effect.PLATFORM
    assert effect_of(Subject.CHANGE_SETTINGS, "company") is Effect.ACCOUNT
    assert right_to_ask(Subject.CHANGE_SETTINGS, PLATFORM) != right_to_ask(
        Subject.CHANGE_SETTINGS, "company"
    )


WRITTEN = (
    SettingsContent({"live.x": 1, "names": ["a"]}, "why", 3),
    UniverseContent(1, 2, "why", ("A/USD",), ()),
    LiveContent(1, overrides_evidence=True),
    LiftContent(1, "user/1", ("company",), ("A/USD",)),
    PromotionContent("new", "old"),
    KeyContent("rotate", "ab12"),
)


@pytest.mark.parametrize("content", WRITTEN, ids=lambda content: type(content).__name__)
def test_contents_survive_being_stored(content):
    assert read_content(type(content), write_content(content)) == content


def test_every_content_is_tried():
    assert {type(content) for content in WRITTEN} == set(CONTENTS.values())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": 1}', '{"odd": 1}', "null"])
def test_what_is_no_content_is_told_so(text):
    for kind in (LiftContent, SettingsContent):
        with pytest.raises(ValueError, match=r"Content|Expecting"):
            read_content(kind, text)

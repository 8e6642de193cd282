from pathlib import Path

import pytest

from infra.checks import words
from infra.checks.banned_words import BANNED

TABLE = {"errand": "step", "kept level": "persisted counter"}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "BANNED", TABLE)


@pytest.mark.parametrize(
    "text",
    [
        "class Errand:",
        "x = order_errand(1)",
        "OrderErrand",
        "an errand of the order",
        "KeptLevel",
        "kept_level = 1",
        "_KEPT_LEVEL",
    ],
)
def test_a_planted_word_is_found_whatever_its_form(text: str) -> None:
    assert len(words.banned_in(text)) == 1


@pytest.mark.parametrize("text", ["errands_of_mercy", "the level is kept", "a level kept_well"])
def test_what_only_looks_alike_is_let_pass(text: str) -> None:
    assert words.banned_in(text) == []


def test_words_are_found_in_code_documentation_pages_and_names_of_files(tmp_path: Path) -> None:
    for name in ("models/a.py", "docs/b.md", "ui/src/c.tsx", "tests/test_errand.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("" if "errand" in name else "one\nan errand\n")
    (tmp_path / "docs" / "adr").mkdir()
    (tmp_path / "docs" / "adr" / "0001-kept.md").write_text("an errand, as it was written then")

    found = [line.split(": ")[0] for line in words.word_findings(tmp_path)]

    assert sorted(found) == [
        "docs/b.md:2",
        "models/a.py:2",
        "tests/test_errand.py",
        "ui/src/c.tsx:2",
    ]


@pytest.mark.parametrize("word", BANNED)
def test_each_word_of_the_table_is_found_when_it_is_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(words, "BANNED", BANNED)
    (tmp_path / "models").mkdir()
    planted = tmp_path / "models" / "planted.py"
    planted.write_text("".join(part.capitalize() for part in word.split()) + " = 1\n")
    assert word in [line.split("`")[1] for line in words.word_findings(tmp_path)]
    planted.write_text(f"_{word.replace(' ', '_')} = 1\n")
    assert word in [line.split("`")[1] for line in words.word_findings(tmp_path)]
    planted.write_text("other = 1\n")
    assert words.word_findings(tmp_path) == []


def test_every_word_has_an_advice_and_is_written_as_it_is_searched() -> None:
    assert BANNED
    for word, advice in BANNED.items():
        assert word == word.lower()
        assert advice

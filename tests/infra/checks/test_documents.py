"""What the documents say of the tree is so: every file and folder that they name is there."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOP = ("activities", "api", "bench", "cli", "docs", "infra", "models", "tests", "ui", "workers")
NAMED = re.compile(rf"`((?:{'|'.join((*TOP, 'workflows'))})/[\w./-]*)`")
BARE = re.compile(r"`((?:[\w-]+/)*[\w-]+\.(?:py|tsx?|sh|sql|yaml|md))(?:::\w+)?`")
ELSEWHERE = {"RECIPE.md"}
"""Files that the platform writes, and that are in no tree of ours."""
PASSED_OVER = {"__pycache__", "build", "dist", "histories", "node_modules", "releases"}
WALKS = ("An order", "A fill", "A bar", "A setting", "An approval")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "docs/runbooks/*.md", "infra/**/*.md")
    for path in ROOT.glob(pattern)
)
"""Every page but the decisions, which stay as they were written."""


def missing(text: str) -> list[str]:
    return [name for name in NAMED.findall(text) if not (ROOT / name).exists()]


def unknown(text: str, ends: frozenset[str]) -> list[str]:
    """Return the files that a text names without a folder, or by the last ones, and are nowhere."""
    return [name for name in BARE.findall(text) if name not in ends | ELSEWHERE]


@pytest.fixture(scope="module")
def ends() -> frozenset[str]:
    """Every file by its name, and by its name below each of its folders."""
    found = {path.name for path in ROOT.iterdir() if path.is_file()}
    for top in (*TOP, "workflows"):
        for folder, folders, names in os.walk(ROOT / top):
            folders[:] = [name for name in folders if name not in PASSED_OVER]
            parts = Path(folder).relative_to(ROOT).parts
            found |= {
                "/".join((*parts[at:], name)) for at in range(len(parts) + 1) for name in names
            }
    return frozenset(found)


def read(name: str) -> str:
    return (ROOT / name).read_text()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str, ends: frozenset[str]) -> None:
    assert missing(read(page)) == []
    assert unknown(read(page), ends) == []


@pytest.mark.parametrize("page", ["docs/where.md", "docs/architecture.md", "CONTRIBUTING.md"])
def test_pages_about_the_tree_name_files_of_it(page: str) -> None:
    assert NAMED.findall(read(page))


def test_a_planted_file_that_is_not_there_is_found(ends: frozenset[str]) -> None:
    assert missing("see `models/trading/planted.py`") == ["models/trading/planted.py"]
    text = "`nowhere.py`, `limits/nowhere.py`, `wrong/availability.py`, `limits/availability.py`"
    assert unknown(text, ends) == ["nowhere.py", "limits/nowhere.py", "wrong/availability.py"]


@pytest.mark.parametrize("walk", WALKS)
def test_each_walk_names_at_least_five_files(walk: str) -> None:
    part = read("docs/architecture.md").split(f"**{walk}**", 1)[1].split("\n\n", 1)[0]
    assert len(NAMED.findall(part)) >= 5


def test_every_workflow_is_on_the_page_of_the_architecture() -> None:
    classes = [
        node.name
        for path in (ROOT / "workflows").rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(mark) == "workflow.defn" for mark in node.decorator_list)
    ]
    page = read("docs/architecture.md")
    assert len(classes) >= 15
    assert [name for name in classes if f"`{name}`" not in page] == []


def test_every_command_of_make_that_a_page_tells_of_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    told = {target for page in PAGES for target in re.findall(r"`make ([a-z-]+)", read(page))}
    assert len(told) > 10
    assert told <= targets


STANDARD = {
    "6.1": 3, "6.2": 11, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3, "16.5": 3,
}  # fmt: skip
"""How many requirements of ASVS 5.0 have level 1 or 2, by section: in each the first ones."""
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w./]+\.py)::(\w+)`")


def unheld(rows: list[tuple[str, str, str]]) -> list[str]:
    """Return requirements that name neither a file, a page, nor a reason."""
    proven = re.compile(r"`[\w.]+/|\]\([\w./-]+\.md\)|does not apply: |not held")
    return [number for number, _, held in rows if not proven.search(held)]


def unknown_tests(text: str) -> list[str]:
    return [
        f"{name}::{test}"
        for name, test in TEST.findall(text)
        if not re.search(rf"^(?:async )?def {test}\(", read(name), re.MULTILINE)
    ]


def test_each_requirement_of_the_standard_is_listed_and_held_or_explained() -> None:
    rows = ROW.findall(read("docs/asvs.md"))
    wanted = [f"{part}.{n}" for part, last in STANDARD.items() for n in range(1, last + 1)]
    assert [number for number, _, _ in rows] == wanted
    assert unheld(rows) == []


def test_what_the_list_of_requirements_names_is_there() -> None:
    page = read("docs/asvs.md")
    assert len(TEST.findall(page)) > 30
    assert unknown_tests(page) == []
    named = re.findall(rf"`((?:{'|'.join((*TOP, 'workflows'))})/[\w./-]*)(?:::\w+)?`", page)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_a_planted_requirement_without_proof_and_a_test_that_is_not_there_are_found() -> None:
    assert unheld([("1.1.1", "something", "trust us")]) == ["1.1.1"]
    planted = "`tests/infra/checks/test_documents.py::test_planted`"
    assert unknown_tests(planted) == ["tests/infra/checks/test_documents.py::test_planted"]

from datetime import date
from pathlib import Path

import pytest

from infra.checks import __main__ as checks
from infra.checks.bounds import (
    LINES_MAXIMUM,
    MODULES_MAXIMUM,
    Exemption,
    file_findings,
    folder_findings,
)

DAY = date(2026, 11, 29)


def plant(root: Path, folder: str, modules: int, lines: int = 1) -> None:
    (root / folder).mkdir(parents=True)
    (root / folder / "__init__.py").write_text("")
    for number in range(modules):
        (root / folder / f"module_{number}.py").write_text("X = 1\n" * lines)


def test_a_folder_at_the_bound_is_kept_and_one_module_more_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "models/kept", MODULES_MAXIMUM)
    assert folder_findings(tmp_path, ()) == []

    plant(tmp_path, "models/planted", MODULES_MAXIMUM + 1)
    assert folder_findings(tmp_path, ()) == ["models/planted: 16 modules, 15 at most"]


def test_a_file_at_the_bound_is_kept_and_one_line_more_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "workers/kept", 1, LINES_MAXIMUM)
    assert file_findings(tmp_path, ()) == []

    plant(tmp_path, "tests/planted", 1, LINES_MAXIMUM + 1)
    assert file_findings(tmp_path, ()) == ["tests/planted/module_0.py: 401 lines, 400 at most"]


def test_an_exemption_holds_up_to_its_own_bound(tmp_path: Path) -> None:
    plant(tmp_path, "models/large", 17, 402)
    folder = Exemption("models/large", 17, DAY, "tried")
    assert folder_findings(tmp_path, (folder,)) == []
    assert folder_findings(tmp_path, (Exemption("models/large", 16, DAY, "tried"),)) == [
        "models/large: 17 modules, 16 at most"
    ]


def test_an_exemption_that_is_not_needed_any_more_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "models/small", 2)
    unneeded = Exemption("models/small", 20, DAY, "tried")
    gone = Exemption("models/gone", 20, DAY, "tried")
    folders = folder_findings(tmp_path, (unneeded, gone))
    assert [line.split(":")[0] for line in folders] == ["models/gone", "models/small"]

    file = Exemption("models/small/module_0.py", 500, DAY, "tried")
    assert "remove it" in file_findings(tmp_path, (file,))[0]


def test_a_tree_without_code_is_an_error_and_not_a_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        folder_findings(tmp_path, ())


def test_this_tree_is_kept_and_a_planted_one_fails_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checks.main() == 0

    plant(tmp_path, "models/planted", MODULES_MAXIMUM + 1)
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    assert checks.main() == 1
    assert "models/planted: 16 modules" in capsys.readouterr().err

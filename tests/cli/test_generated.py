import shutil
from pathlib import Path

import pytest

from cli import generated


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in generated.GENERATED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(generated.ROOT / name, tmp_path / name)
    return tmp_path


def test_what_is_generated_is_current(copy: Path) -> None:
    assert generated.stale(copy) == []


def test_each_stale_file_is_named_with_what_writes_it_anew(copy: Path) -> None:
    for name in generated.GENERATED:
        path = copy / name
        path.write_text(path.read_text() + " ")
    (copy / "docs" / "settings.md").unlink()

    found = generated.stale(copy)

    assert [line.split(" is stale")[0] for line in found] == list(generated.GENERATED)
    assert all("run `" in line for line in found)

"""The import contracts, on a copy of the tree in which one is broken."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("activities", "api", "cli", "infra", "models", "workers", "workflows")
LINT = ROOT / ".venv" / "bin" / "lint-imports"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=lambda _, names: [*_without_code(names)]
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _without_code(names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or Path(name).suffix not in ("", ".py")]


def broken(tree: Path) -> list[str]:
    done = subprocess.run([LINT], cwd=tree, capture_output=True, text=True, check=False)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if re.search(r" BROKEN( \(|$)", line)]


@pytest.mark.parametrize(
    ("place", "text", "contract"),
    [
        (
            "api/routes/planted.py",
            "from activities.adapters.postgres import audit\n",
            "Only assemblies and cli name adapters",
        ),
        (
            "activities/market/planted.py",
            "import activities.adapters.kraken.symbols\n",
            "Only assemblies and cli name adapters",
        ),
        (
            "activities/keys/planted.py",
            "import activities.adapters.stored_secrets\n",
            "Only assemblies and cli name adapters",
        ),
        (
            "activities/adapters/people/planted.py",
            "import activities.adapters.record.signer\n",
            "Adapters do not know each other",
        ),
        ("models/trading/planted.py", "import time\n", "The domain imports no third party"),
        ("activities/planted.py", "import workflows.entity\n", "Layers"),
        ("workflows/planted.py", "import infra.runtime.settings\n", "Workflows see no adapters"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    copy: Path, place: str, text: str, contract: str
) -> None:
    path = copy / place
    path.write_text(text)
    try:
        assert any(line.startswith(contract) for line in broken(copy))
    finally:
        path.unlink()


def contract(name: str) -> dict[str, list[str]]:
    """Return a contract as it stands."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    return next(one for one in tool["importlinter"]["contracts"] if one["name"] == name)


def parts(folder: str) -> set[str]:
    """Return the packages and modules right inside a package, by their full names."""
    names = {path.relative_to(ROOT).with_suffix("") for path in (ROOT / folder).glob("[!_]*.py")}
    names |= {path.parent.relative_to(ROOT) for path in (ROOT / folder).glob("*/__init__.py")}
    return {name.as_posix().replace("/", ".") for name in names}


def test_every_part_is_held_to_the_contracts_about_adapters() -> None:
    steps = parts("activities") - {"activities.adapters"}
    assert len(steps) > 10
    assert steps <= {*contract("Only assemblies and cli name adapters")["source_modules"]}
    assert parts("activities/adapters") == {*contract("Adapters do not know each other")["modules"]}

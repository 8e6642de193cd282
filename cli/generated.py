"""Check that what is made from the code is current: ``python -m cli.generated``.

The pages of settings, of environment variables and of audit actions, and the API's description that
the pages' client is made from; ``aether pages check`` holds the client against that description.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cli import audit_actions_page, environment_page, settings_page

ROOT = Path(__file__).parents[1]


def api_description() -> str:
    """Return the API's description as it is committed. The command line knows no API: it asks one.

    Raises:
        subprocess.CalledProcessError: the API cannot describe itself.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "api.json"
        command = [sys.executable, "-m", "api.http.description", str(path)]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - a module of ours
        return path.read_text()


GENERATED: Mapping[str, tuple[Callable[[], str], str]] = {
    "docs/settings.md": (settings_page.page, "python -m cli.settings_page"),
    "docs/environment.md": (environment_page.page, "python -m cli.environment_page"),
    "docs/audit-actions.md": (audit_actions_page.page, "python -m cli.audit_actions_page"),
    "ui/api.json": (api_description, "aether pages api"),
}
"""What is generated: how, and what writes it anew."""


def stale(root: Path = ROOT) -> list[str]:
    """Return a line for each generated file of a tree that is not what the code makes of it."""
    found = []
    for name, (make, command) in GENERATED.items():
        path = root / name
        if not path.exists() or path.read_text() != make():
            found.append(f"{name} is stale: run `{command}`")
    return found


if __name__ == "__main__":
    findings = stale()
    for finding in findings:
        sys.stderr.write(f"{finding}\n")
    sys.stdout.write("Generated files are current.\n" if not findings else "")
    sys.exit(1 if findings else 0)

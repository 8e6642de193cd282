"""The page of all settings, made from their definitions: ``python -m cli.settings_page``."""

from pathlib import Path

from models.trading.settings.catalogue import SettingScope
from models.trading.settings.documents import definitions_of, markdown

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = """# Settings

Made by `python -m cli.settings_page` from `models/trading/settings/definitions.py`; a test
compares.

A change makes a new version with author and reason (`aether settings set ACCOUNT NAME=VALUE
--reason …`, `POST /api/v1/accounts/ACCOUNT/settings`); it counts from the account's next decision
on, and each trade names the version that it was decided under. What is dangerous (it lets more be
lost) needs `--confirm`, and is named in the answer and in the audit. What loosens `approval.*`,
`live.*`, `freeze.*`, `notifications.*` or how much evidence is asked for waits for a second person
besides (`aether approvals`); once an account trades live, so does everything dangerous.
Export and import are YAML.
"""


def page() -> str:
    """Return the page."""
    account = markdown(definitions_of(SettingScope.ACCOUNT))
    platform = markdown(definitions_of(SettingScope.PLATFORM))
    return f"{_HEAD}\n## Of each account\n\n{account}\n## Of the platform\n\n{platform}"


if __name__ == "__main__":
    PAGE.write_text(page())

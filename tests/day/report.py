"""What the day came to: each check with the record that proves it, for `build/day.json`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULT = Path("build") / "day.json"


class Report:
    """Collects checks in their order, and shows each when it is made."""

    def __init__(self) -> None:
        self.checks: list[dict[str, Any]] = []

    @property
    def is_good(self) -> bool:
        """Tell whether there are checks and all of them hold."""
        return bool(self.checks) and all(check["ok"] for check in self.checks)

    def check(self, name: str, holds: Mapping[str, bool], **record: Any) -> None:
        """Note a check: it is ok when every condition holds; the others are named."""
        missed = [condition for condition, met in holds.items() if not met]
        entry = {"name": name, "ok": not missed, "conditions": list(holds), "record": record}
        self.checks.append(entry | ({"missed": missed} if missed else {}))
        said = [("ok  " if not missed else "BAD ") + name, *(f"    not so: {m}" for m in missed)]
        sys.stdout.write("\n".join(said) + "\n")
        sys.stdout.flush()

    def write(self, about: Mapping[str, Any]) -> None:
        """Write everything down."""
        RESULT.parent.mkdir(exist_ok=True)
        found = {"ok": self.is_good, **about, "checks": self.checks}
        RESULT.write_text(json.dumps(found, indent=1, default=_plain) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

"""Write the schemas of events: ``python -m cli.events_page`` makes docs/event-schemas.json."""

import json
from pathlib import Path

from models.contracts.events import schemas

PAGE = Path(__file__).parents[1] / "docs" / "event-schemas.json"


def content() -> str:
    """Return the file as it has to be."""
    return json.dumps(schemas(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PAGE.write_text(content())

"""What people may be called: a name to sign in with, and one that others see.

The first is small ASCII only, so that no two look alike; who somebody is goes by an id anyway.
"""

import re
from typing import Final

NAME: Final = r"^[a-z0-9][a-z0-9._@-]{1,62}$"
DISPLAY_NAME: Final = r"^[^\x00-\x1f\x7f-\x9f]{1,100}$"


def name_problem(name: str) -> str | None:
    """Return why nobody can have this name, None if somebody can."""
    if re.fullmatch(NAME, name):
        return None
    return "a name is 2 to 63 small ASCII letters and digits, after the first also . _ @ -"


def display_name_problem(name: str) -> str | None:
    """Return why nobody can be shown under this name, None if somebody can."""
    if re.fullmatch(DISPLAY_NAME, name) and name.strip():
        return None
    return "a display name has 1 to 100 characters, no control characters"

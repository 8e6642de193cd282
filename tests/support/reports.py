"""Reports of tests in the form that one process can send to another.

A failure may show anything: a name on disk that is not UTF-8, half of a surrogate pair, an object.
What cannot be sent ends the process that ran the test, with all that it still had to run, and
nobody learns why.
"""

from typing import Any

WHOLE_NUMBERS = range(-(2**31), 2**31)
"""What execnet sends of either sign; below it fails."""


def sendable(value: Any) -> Any:
    """Return a report's data with only what execnet sends: scalars, lists, mappings."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if value is None or type(value) in {bool, float, bytes}:
        return value
    if type(value) is int and value in WHOLE_NUMBERS:
        return value
    if isinstance(value, dict):
        return {sendable(key): sendable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(sendable(part) for part in value)
    return sendable(str(value))

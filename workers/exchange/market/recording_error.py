"""The refusal of recorded candles."""

from pathlib import Path


class RecordingError(Exception):
    """A recording cannot be used.

    ``row`` is None when it is the whole file; a ``row`` counts from 0, a ``line`` from 1.
    """

    def __init__(
        self, path: Path, reason: str, row: int | None = None, counted: str = "row"
    ) -> None:
        place = "" if row is None else f", {counted} {row}"
        super().__init__(f"{path}{place}: {reason}")
        self.path = path
        self.row = row
        self.reason = reason

"""Protocol time: the wall clock of the exchange, which a test may step."""

import time
from datetime import UTC, datetime, timedelta


class ProtocolClock:
    """Tell protocol time: wall time plus an offset in seconds set by ``POST /control/clock``."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def seconds(self) -> float:
        """Return unix seconds."""
        return time.time() + self.offset

    def now(self) -> datetime:
        """Return timezone-aware UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset)


def to_seconds(moment: datetime) -> float:
    """Return unix seconds of a timezone-aware datetime."""
    return moment.timestamp()


def to_rfc3339(moment: datetime) -> str:
    """Return Kraken's spelling of a time: UTC, microseconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Room on the file systems that the installation writes to: without it nothing can be recorded."""

import shutil
from collections.abc import Mapping
from pathlib import Path

MEGABYTE = 1_000_000


def short_of_room(places: Mapping[str, Path], minimum_megabytes: int) -> dict[str, str]:
    """Return the places with less room than the minimum, each with how much there is.

    A place that does not exist is that of its nearest parent that does.
    """
    short = {}
    for name, place in places.items():
        free = shutil.disk_usage(_existing(place)).free
        if free < minimum_megabytes * MEGABYTE:
            short[name] = f"{free / MEGABYTE:.0f} MB free, {minimum_megabytes} MB are needed"
    return short


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())

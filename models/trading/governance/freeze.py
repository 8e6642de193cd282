"""The change freeze: while it lasts nothing is loosened. By hand, or by windows of the settings.

What stops, closes or tightens is never frozen. Whoever has to change something all the same breaks
the glass: with a reason, on the record, and until somebody else has reviewed it it is shown.
"""

from collections.abc import Iterable
from datetime import datetime

from models.trading.governance.freeze_windows import Freeze, window_at
from models.trading.settings.catalogue import Danger
from models.trading.settings.definitions import BY_NAME
from models.trading.settings.versions import SettingChange


def freezes_at(
    by_hand: Iterable[Freeze], windows: Iterable[str], now: datetime
) -> tuple[Freeze, ...]:
    """Return every freeze that holds at a time (protocol time), those by hand first."""
    found = (window_at(window, now) for window in windows)
    return (*by_hand, *(one for one in found if one is not None))


def tightens(changes: Iterable[SettingChange]) -> bool:
    """Tell whether a change of settings does nothing but tighten: of each one knows which way."""
    directed = (Danger.RAISING, Danger.LOWERING)
    return all(not c.dangerous and BY_NAME[c.name].danger in directed for c in changes)

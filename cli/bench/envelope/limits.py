"""When a step of a growing load is too much, and what held it up: figures alone."""

from collections.abc import Mapping, Sequence
from typing import Any

PROMISED_STOP_MS = 5_000.0
"""How long after its fill a stop placed apart may rest: the promise, whatever the load."""
ACKNOWLEDGED_P99_MS = 1_000.0
READ_P99_MS = 500.0
REFUSED_SHARE = 0.01
FULL = 0.9
"""Share of a core, or of all of them, from which on it is called full."""
SINGLE = ("api", "exchange", "market", "notifications", "research", "trading")
"""Processes that one core bounds: each is one interpreter."""

Row = dict[str, Any]


def broken(step: Row) -> list[str]:
    """Return what of the limits a step broke, in words; what was not measured broke one too."""
    found: list[str] = []
    if step["trades_a_second"]:
        found += _late("acknowledgement of entries", step["request_to_ack"], ACKNOWLEDGED_P99_MS)
        found += _late("stops after fills", step["fill_to_stop"], PROMISED_STOP_MS)
        found += _refused("entries", step["refused_entries"], step["entries"])
    if step["requests_a_second"]:
        found += _late("answers to reads", step["read"], READ_P99_MS)
        found += _refused("reads", step["refused_reads"], step["reads"])
    return found


def held_up_by(step: Row, cores: int) -> str:
    """Return what was full while the step ran: all cores, one process's core, or nothing."""
    used: Mapping[str, float] = step["cores_by_process"]
    most = max(used, key=lambda name: used[name])
    everything = step["cores"] + step["cores_of_client"] + step["cores_of_others"]
    if everything >= FULL * cores:
        others = step["cores_of_others"]
        return f"all {cores} cores: most {most} ({used[most]:.2f}), other programs {others:.2f}"
    single = {name: share for name, share in used.items() if name in SINGLE}
    fullest = max(single, key=lambda name: single[name], default=None)
    if fullest is not None and single[fullest] >= FULL:
        return f"the one core of {fullest} ({single[fullest]:.2f})"
    return f"waiting: no core was full; most {most} ({used[most]:.2f})"


def envelope(ramps: Mapping[str, Sequence[Row]], cores: int) -> Row:
    """Return the last step of each ramp that held, and what broke the first that did not.

    ``held`` is None where the first step broke already; ``first_to_break`` None where all held:
    the envelope is then beyond what was tried.
    """
    found: Row = {}
    for name, steps in ramps.items():
        held = [step for step in steps if not step["broken"]]
        over = next((step for step in steps if step["broken"]), None)
        found[name] = {
            "held": _asked(held[-1]) if held else None,
            "broke_at": _asked(over) if over else None,
            "first_to_break": over["broken"] if over else None,
            "held_up_by": held_up_by(over, cores) if over else None,
        }
    return found


def _asked(step: Row) -> Row:
    return {name: step[name] for name in ("trades_a_second", "requests_a_second")}


def _late(what: str, figure: Row | None, limit: float) -> list[str]:
    value = None if figure is None else figure["p99_ms"]
    if value is None:
        return [f"{what}: not measured"]
    return [f"{what}: p99 {value:.0f} ms over {limit:.0f}"] if value > limit else []


def _refused(what: str, refused: Mapping[str, int], asked: int) -> list[str]:
    count = sum(refused.values())
    if count <= REFUSED_SHARE * asked:
        return []
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(refused.items()))
    return [f"{what} refused: {count} of {asked} ({kinds})"]

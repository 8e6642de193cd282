"""What a cluster of so many accounts takes, part by part: shards, their key, cores and memory.

A model, not a measurement: each part's cores are ``base + account x accounts + trade x trades a
second``, as ``aether bench scale`` measures them on one machine, and memory likewise. ``checked``
holds the model against any report of that benchmark.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Row = dict[str, Any]

USABLE: Final = 0.6
"""Share of a core that a part may use in the mean: the rest is for bursts and restarts."""
TOLERANCE: Final = 0.5
"""Share by which a measured total may differ from the model."""


@dataclass(frozen=True, slots=True)
class Law:
    """Cores and megabytes: fixed, for each account that holds a trade, for each trade a second."""

    cores: tuple[float, float, float]
    megabytes: tuple[float, float, float]

    def cores_of(self, accounts: float, trades: float) -> float:
        """Return the cores in use."""
        return _law(self.cores, accounts, trades)

    def megabytes_of(self, accounts: float, trades: float) -> float:
        """Return the memory in use."""
        return _law(self.megabytes, accounts, trades)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the platform on a cluster.

    Attributes:
        name: of the part.
        processes: of one machine that it consists of.
        key: what its shards are divided by; empty where it does not shard.
        single: whether a shard is one interpreter, which one core bounds.
        beside: instances besides those that work: standbys, replicas.
        built: whether the platform can divide it so today; if not, why.
    """

    name: str
    processes: tuple[str, ...]
    key: str
    single: bool
    beside: int
    built: str = ""


PARTS: Final = (
    Part(
        "trading",
        ("trading", "trading-standby"),
        "account: the queue and key of a group of accounts",
        single=True,
        beside=1,
        built="one group today: rate counters, nonces and streams are the active process's",
    ),
    Part("temporal", ("temporal",), "workflow id, over its history shards", single=False, beside=0),
    Part(
        "record",
        ("postgres",),
        "account: each row and each chain of actions has one",
        single=False,
        beside=1,
        built="one server today: what spans accounts is read with plain joins",
    ),
    Part("api", ("api",), "request: it holds no state", single=True, beside=1),
    Part(
        "market",
        ("market",),
        "pair: feeds, candles and price watches",
        single=True,
        beside=1,
        built="one process today: it follows every pair",
    ),
    Part(
        "notifications", ("notifications",), "occurrence: each counts once", single=True, beside=1
    ),
    Part(
        "simulator",
        ("exchange",),
        "account, in simulation only",
        single=True,
        beside=0,
        built="one process today",
    ),
)


def laws(report: Mapping[str, Any]) -> dict[str, Law]:
    """Return the law of each process by least squares over a report of ``aether bench scale``.

    Raises:
        ValueError: the report has too few states to tell the three figures apart.
    """
    import numpy as np

    points = list(_points(report))
    design = np.array([(1.0, accounts, trades) for accounts, trades, _ in points])
    if len(points) < 3 or np.linalg.matrix_rank(design) < 3:
        raise ValueError(
            "a law needs different numbers of accounts and rates: aether bench scale"
            " --accounts 3 --accounts 30"
        )
    names = sorted({name for *_, state in points for name in state["cores_by_process"]})

    def fitted(name: str, place: str) -> tuple[float, float, float]:
        values = np.array([state[place].get(name, 0.0) for *_, state in points])
        # What falls with more work is noise: no figure of a law is below nothing.
        base, account, trade = np.linalg.lstsq(design, values, rcond=None)[0].clip(0.0)
        return float(base), float(account), float(trade)

    return {
        name: Law(fitted(name, "cores_by_process"), fitted(name, "memory_by_process"))
        for name in names
    }


def cluster(law: Mapping[str, Law], accounts: int, trades_of_each: float) -> list[Row]:
    """Return the parts of a cluster; every account holds a trade.

    Args:
        law: of each process, as ``laws`` returns them.
        accounts: how many.
        trades_of_each: trades a second that each account opens and closes, in the mean.
    """
    return [_sized(part, law, accounts, accounts * trades_of_each) for part in PARTS]


def checked(law: Mapping[str, Law], report: Mapping[str, Any]) -> list[Row]:
    """Compare the cores of a report with the model's, state by state; ``holds`` is the verdict."""
    return [
        {
            "accounts": accounts,
            "trades_a_second": round(trades, 2),
            "state": state["state"],
            "cores": state["cores"],
            "cores_of_the_model": round(modelled, 2),
            "holds": abs(state["cores"] - modelled) <= TOLERANCE * max(state["cores"], modelled),
        }
        for accounts, trades, state in _points(report)
        for modelled in [sum(one.cores_of(accounts, trades) for one in law.values())]
    ]


def _points(report: Mapping[str, Any]) -> Sequence[tuple[int, float, Row]]:
    """Return accounts that hold a trade, trades a second, and what was used, of each state."""
    found = []
    for row in report["rows"]:
        for state, holding in (("resting", 0), ("holding", row["accounts"])):
            if state in row:
                found.append((holding, 0.0, {**row[state], "state": state}))
        for state in ("steady", "growing"):
            measured = row.get(state)
            if measured and measured["request_to_ack"]["n"]:
                rate = measured["request_to_ack"]["n"] / measured["seconds"]
                found.append((row["accounts"], rate, {**measured, "state": state}))
    return found


def _sized(part: Part, law: Mapping[str, Law], accounts: int, trades: float) -> Row:
    used = [law[name] for name in part.processes if name in law]
    if not used:
        return {"part": part.name, "instances": None, "why": "not measured in the report"}
    cores = sum(one.cores_of(accounts, trades) for one in used)
    shards = max(1, math.ceil(cores / USABLE)) if part.single else 1
    memory = sum(one.megabytes_of(accounts, trades) for one in used)
    base = sum(one.megabytes[0] for one in used)
    instances = shards + part.beside
    return {
        "part": part.name,
        "key": part.key,
        "cores": round(cores, 2),
        "shards": shards,
        "instances": instances,
        "cores_to_provide": math.ceil(cores / USABLE) if not part.single else instances,
        "memory_megabytes": round(memory + base * (instances - 1)),
        "built": part.built,
    }


def _law(figures: tuple[float, float, float], accounts: float, trades: float) -> float:
    base, account, trade = figures
    return base + account * accounts + trade * trades

"""The signal graph: which data feed which features, regimes, models and strategies, by version."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx

from models.contracts.learning import LEARNED_STRATEGY, PRIMARY_STRATEGY
from models.learning.features.catalogue import FeatureSet

Graph = Any
"""A directed graph of networkx, which has no types of its own."""
REGIME = "regime/trend-by-volatility"
REGIME_VERSION = "1"
REGIME_FEATURES = ("trend_20_100", "volatility_20")
CANDLES = "data/candles"
SOURCES = {
    "candles": CANDLES,
    "reference": "data/reference",
    "trades": "data/trades",
    "clock": "data/clock",
}


class UnknownNodeError(LookupError):
    """There is no such node in the graph."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A registered model; ``feature_hash`` is empty for the one that takes nothing."""

    version: int
    trial: str
    feature_hash: str
    standing: str


def build_graph(
    features: FeatureSet, models: Iterable[KnownModel], strategies: Iterable[tuple[str, str]]
) -> Graph:
    """Build the graph: an edge leads from what feeds to what is fed."""
    graph: Graph = nx.DiGraph()
    for source, node in SOURCES.items():
        if any(feature.source == source for feature in features.features) or node == CANDLES:
            _add(graph, "data", node, source, "")
    chosen = f"feature-set/{features.name}"
    _add(
        graph,
        "feature set",
        chosen,
        features.name,
        f"{features.version}+{features.fingerprint[:12]}",
    )
    for feature in features.features:
        node = f"feature/{feature.name}"
        _add(graph, "feature", node, feature.name, f"{features.version}")
        graph.add_edge(SOURCES[feature.source], node)
        graph.add_edge(node, chosen)
    _add(graph, "regime", REGIME, "trend by volatility", REGIME_VERSION)
    for name in REGIME_FEATURES:
        graph.add_edge(f"feature/{name}", REGIME)
    for name, version in strategies:
        _add(graph, "strategy", f"strategy/{name}", name, version)
        graph.add_edge(CANDLES, f"strategy/{name}")
    _add_models(graph, features, chosen, models)
    return graph


def _add_models(
    graph: Graph, features: FeatureSet, chosen: str, models: Iterable[KnownModel]
) -> None:
    learned = f"strategy/{LEARNED_STRATEGY}"
    _add(graph, "strategy", learned, LEARNED_STRATEGY, "no-trade")
    graph.add_edge(f"strategy/{PRIMARY_STRATEGY}", learned)
    for model in models:
        node = f"model/{model.version}"
        _add(graph, "model", node, f"{model.trial} ({model.standing})", str(model.version))
        if model.feature_hash == features.fingerprint:
            graph.add_edge(chosen, node)
        elif model.feature_hash:
            other = f"feature-set/{model.feature_hash[:12]}"
            _add(graph, "feature set", other, "of another release", model.feature_hash[:12])
            graph.add_edge(other, node)
        if model.standing == "champion":
            graph.add_edge(node, learned)
            graph.nodes[learned]["version"] = str(model.version)
            if model.feature_hash:
                graph.add_edge(REGIME, learned)


def upstream(graph: Graph, node: str) -> Graph:
    """Return all that a node depends on. Raise `UnknownNodeError` where there is no such node."""
    return _part(graph, node, nx.ancestors)


def downstream(graph: Graph, node: str) -> Graph:
    """Return all that a node feeds. Raise `UnknownNodeError` where there is no such node."""
    return _part(graph, node, nx.descendants)


def _part(graph: Graph, node: str, direction: Callable[..., set[str]]) -> Graph:
    if node not in graph:
        raise UnknownNodeError(f"{node!r} is not in the signal graph")
    return graph.subgraph({node, *direction(graph, node)})


def _add(graph: Graph, kind: str, node: str, name: str, version: str) -> None:
    graph.add_node(node, kind=kind, name=name, version=version)

"""The signal graph in the API's words. What it is made of is loaded with the first question."""

from collections.abc import Sequence

from api.messages.learning import GraphEdge, GraphNode, ModelView, SignalGraph


def signal_graph(registered: Sequence[ModelView], of: str | None, feeds: str | None) -> SignalGraph:
    """Return the graph, or what a node depends on (``of``), or what it feeds (``feeds``)."""
    from models.learning.features.catalogue import daily_features
    from models.learning.graph import KnownModel, build_graph, downstream, upstream
    from models.trading.strategies import known

    models = [
        KnownModel(one.version, one.trial, one.feature_hash, one.standing) for one in registered
    ]
    graph = build_graph(daily_features(), models, [(s.name, s.version) for s in known()])
    if of is not None:
        graph = upstream(graph, of)
    if feeds is not None:
        graph = downstream(graph, feeds)
    nodes = [
        GraphNode(node=node, kind=data["kind"], name=data["name"], version=data["version"])
        for node, data in graph.nodes(data=True)
    ]
    return SignalGraph(
        nodes=nodes, edges=[GraphEdge(source=one, target=other) for one, other in graph.edges]
    )

"""What a dashboard consists of here, and how Grafana's own builders make it."""

from dataclasses import dataclass, field
from itertools import count
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
)
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="prometheus", uid="aether")
"""The data source that infra/grafana/provisioning names so."""

WIDTH, HEIGHT = 24, 8


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and what its lines are called (``{{label}}``)."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: what it shows, with its unit's meaning.
        unit: Grafana's id of the unit.
        queries: at least one.
        fills: when it fills, where an installation in order shows nothing; shown in the panel.
        figure: one number instead of curves.
    """

    title: str
    unit: str
    queries: tuple[Query, ...]
    fills: str = ""
    figure: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard: rows of panels by their headings."""

    name: str
    title: str
    rows: dict[str, tuple[Panel, ...]] = field(default_factory=dict)

    def panels(self) -> list[Panel]:
        """Return all panels."""
        return [panel for row in self.rows.values() for panel in row]


def document(board: Board) -> str:
    """Return a dashboard as the JSON that Grafana reads."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(f"aether-{board.name}")
        .tags(["aether"])
        .readonly()
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
    )
    numbers = count(1)
    for heading, panels in board.rows.items():
        made = made.with_row(dashboard.Row(heading).id(next(numbers)))
        for panel in panels:
            made = made.with_panel(_panel(panel, WIDTH // len(panels)).id(next(numbers)))
    text: str = JSONEncoder(sort_keys=True, indent=1).encode(made.build())
    return text + "\n"


def _panel(panel: Panel, span: int) -> Any:
    made: Any = stat.Panel() if panel.figure else timeseries.Panel()
    made = made.title(panel.title).unit(panel.unit).datasource(SOURCE).span(span)
    made = made.height(HEIGHT // 2 if panel.figure else HEIGHT)
    if panel.fills:
        made = made.description(f"Fills {panel.fills}.").no_value(f"fills {panel.fills}")
    if panel.figure:
        newest = common.ReduceDataOptions().calcs(["lastNotNull"])
        made = made.graph_mode(BigValueGraphMode.NONE).reduce_options(newest)
    else:
        legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST)
        made = made.legend(legend.placement(LegendPlacement.BOTTOM).show_legend(show_legend=True))
    for name, query in zip(ascii_uppercase, panel.queries, strict=False):
        asked = prometheus.Dataquery().expr(query.expression).datasource(SOURCE).ref_id(name)
        asked = asked.legend_format(query.legend or "__auto")
        made = made.with_target(asked.instant() if panel.figure else asked.range())
    return made

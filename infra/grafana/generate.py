"""Write the dashboards into the chart: ``python -m infra.grafana.generate``."""

from pathlib import Path

from infra.grafana.boards import BOARDS
from infra.grafana.panels import document

TARGET = Path(__file__).parents[1] / "helm" / "aether" / "dashboards"


def files() -> dict[Path, str]:
    """Return every file with its content."""
    return {TARGET / f"{board.name}.json": document(board) for board in BOARDS}


def main() -> None:
    """Write them all."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for path, content in files().items():
        path.write_text(content)


if __name__ == "__main__":
    main()

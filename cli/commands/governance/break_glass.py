"""`--break-glass`: doing in an emergency what a change freeze holds back, and saying why."""

from typing import Annotated

import typer

BreakGlass = Annotated[
    str | None,
    typer.Option(
        "--break-glass",
        help="In spite of a change freeze: why. Told to everybody, recorded, reviewed by another.",
    ),
]

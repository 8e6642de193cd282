"""`aether limits`: how near an account is to each limit on losses and open risk."""

import json
from decimal import Decimal
from typing import Annotated

import typer

from cli.client import ApiClient, segment
from cli.output.tables import Figures
from infra.runtime.settings import Settings


def limits(
    account: Annotated[str, typer.Argument(help="The account, for example company.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the limits on losses and open risk, and how much of each is used."""
    with ApiClient(Settings()) as api:
        found = api.get(f"/accounts/{segment(account)}/limits")
    if as_json:
        typer.echo(json.dumps(found))
        return
    names = ("limit", "of", "now", "smaller from", "none from", "used", "state", "resets")
    table = Figures(names, right=frozenset(names[2:6]))
    for one in found:
        state = "refuses" if one["refuses"] else "ok"
        if one["halted_at"]:
            state += f" since {one['halted_at']}"
        shares = (_share(one[name]) for name in ("share", "soft", "hard", "used"))
        table.add(one["name"], one["subject"] or account, *shares, state, one["resets"])
    table.show()


def _share(value: str | None) -> str:
    return "not known" if value is None else f"{Decimal(value):.2%}"

"""The description of the API: OpenAPI with problems as they are."""

from typing import Any

from fastapi import FastAPI

from api.access.limits import CODE, STATUS, UNLIMITED
from api.access.rules import ROUTES
from api.http.problems import MEDIA_TYPE
from models.trading.governance.rights import RIGHTS, Action


def with_problems(app: FastAPI) -> None:
    """Let the application's OpenAPI document say in which media type problems come."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for operations in document["paths"].values():
                for operation in operations.values():
                    _correct(operation)
                    _declare_limit(operation)
                    _declare_right(operation)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]


def _correct(operation: dict[str, Any]) -> None:
    problem = operation["responses"].get("default")
    if problem is not None:
        problem["description"] = "A problem (RFC 9457); its type is stable"
        content = problem["content"]
        schema = content.pop("application/json", None) or next(iter(content.values()))
        problem["content"] = {MEDIA_TYPE: schema}


def _declare_limit(operation: dict[str, Any]) -> None:
    """Say of an operation whose callers are counted that there may be too many requests."""
    problem = operation["responses"].get("default")
    if problem is None or operation["operationId"] in UNLIMITED:
        return
    operation["responses"][str(STATUS.value)] = {
        "description": f"Too many requests came from this caller (`{CODE}`)",
        "headers": {
            "Retry-After": {
                "description": "Seconds to wait",
                "required": True,
                "schema": {"type": "integer", "minimum": 1},
            }
        },
        "content": problem["content"],
    }


def _declare_right(operation: dict[str, Any]) -> None:
    """Say which right an operation takes, from the table that admits requests."""
    rule = ROUTES.get(operation["operationId"])
    if rule is None:
        return
    right = RIGHTS[rule] if isinstance(rule, Action) else None
    operation["x-right"] = {"action": rule.value}
    if right is not None:
        operation["x-right"] |= {
            "scope": right.scope.value,
            "roles": sorted(right.roles),
            "tokens": right.machine,
            "step_up": right.step_up,
        }

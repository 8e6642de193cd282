"""The description of the API: OpenAPI with problems as they are, and a page that people read.

The page is made here, without scripts: a documentation page that loads programs from elsewhere
would hand them the token of whoever opens it, and would be empty without the Internet.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from fastapi import FastAPI

from api.problems import MEDIA_TYPE

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
code,pre{font:14px/1.4 ui-monospace,monospace;background:#f4f4f4;padding:.1rem .3rem}
section{border-top:1px solid #ddd;margin-top:1rem}h3{margin-bottom:.2rem}
table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0;
vertical-align:top}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}code,pre{background:#2a2a2a}}
"""


def with_problems(app: FastAPI) -> None:
    """Let the application's OpenAPI document say in which media type problems come."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for operations in document["paths"].values():
                for operation in operations.values():
                    _correct(operation)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]


def _correct(operation: dict[str, Any]) -> None:
    problem = operation["responses"].get("default")
    if problem is not None:
        problem["description"] = "A problem (RFC 9457); its type is stable"
        content = problem["content"]
        schema = content.pop("application/json", None) or next(iter(content.values()))
        problem["content"] = {MEDIA_TYPE: schema}


def page(document: dict[str, Any]) -> str:
    """Write the OpenAPI document as one HTML page."""
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation.get("tags", ["other"])[0]
            by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    body = "".join(f"<h2>{escape(tag)}</h2>{''.join(found)}" for tag, found in by_tag.items())
    schemas = document.get("components", {}).get("schemas", {})
    shapes = "".join(_schema(name, schema) for name, schema in sorted(schemas.items()))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Aether API</title>'
        f"<style>{_STYLE}</style><h1>Aether API</h1>"
        "<p>Send <code>Authorization: Bearer …</code>; commands carry an "
        "<code>Idempotency-Key</code>. For programs: "
        '<a href="/api/v1/openapi.json">openapi.json</a>.</p>'
        f"{body}<h2>Shapes</h2>{shapes}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (p["name"], p["in"], _type(p["schema"]), "required" if p.get("required") else "")
        for p in operation.get("parameters", [])
    ]
    content = operation.get("requestBody", {}).get("content", {})
    rows += [("body", media, _type(part.get("schema", {})), "") for media, part in content.items()]
    answers = [
        f"{status}: {_type(part.get('schema', {}))}"
        for status, response in operation["responses"].items()
        for part in response.get("content", {}).values()
    ]
    return (
        f'<section id="{escape(operation["operationId"])}">'
        f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
        f"<p>{escape(operation.get('description', '')).replace('``', '')}</p>"
        f"{_table(rows)}<p>Answers {escape(', '.join(answers))}</p></section>"
    )


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (field, _type(part), "required" if field in required else "", part.get("description", ""))
        for field, part in schema.get("properties", {}).items()
    ]
    text = escape(schema.get("description", "")).replace("``", "")
    return (
        f'<section id="{escape(name)}"><h3>{escape(name)}</h3><p>{text}</p>{_table(rows)}</section>'
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    cells = ("".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table>" if rows else ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or "any")

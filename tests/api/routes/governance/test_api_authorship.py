"""Who did something is told by the token alone: no request has a field for it."""

import re

AUTHORSHIP = re.compile(r"(^|_)(by|actor|author|caller|principal|user|approver|override_author)$")


def properties(document, schema, seen):
    """Yield the names of all fields that a caller can send in a schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in seen:
            return
        yield from properties(document, document["components"]["schemas"][name], seen | {name})
    for name, field in schema.get("properties", {}).items():
        yield name
        yield from properties(document, field, seen)
    for word in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(word, []):
            yield from properties(document, part, seen)
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), dict):
            yield from properties(document, schema[word], seen)


async def test_no_request_names_its_author(platform):
    document = (await platform.caller.get("/api/v1/openapi.json")).json()
    sent = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "get":
                continue
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            for content in operation.get("requestBody", {}).get("content", {}).values():
                names |= set(properties(document, content["schema"], frozenset()))
            sent[method, path] = names
    assert "reason" in set().union(*sent.values()), "bodies are looked into"
    named = {place: [n for n in names if AUTHORSHIP.search(n)] for place, names in sent.items()}
    assert not {place: names for place, names in named.items() if names}

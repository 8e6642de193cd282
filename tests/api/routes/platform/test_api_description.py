"""The API's description says what is really accepted, so that programs can go by it."""

import re
from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from api.messages.bodies import Amount, PartShare, Positive, Share
from tests.support.platform import a_key


@pytest.fixture
async def document(platform):
    return (await platform.caller.get("/api/v1/openapi.json")).json()


def operations(document):
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield method, path, operation


async def test_every_text_in_a_path_is_bounded(document):
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            if parameter["in"] == "path" and schema.get("type") == "string":
                assert {"pattern", "maxLength"} <= set(schema), (path, parameter["name"])
                assert schema["maxLength"] <= 200


async def test_moments_are_text(platform, account, document):
    path = f"/api/v1/accounts/{account}/days"
    assert (await platform.caller.get(f"{path}?before=0.5")).status_code == 422
    assert (await platform.caller.get(f"{path}?before=2026-01-02T00:00:00Z")).status_code == 200


async def test_exports_are_objects(document):
    for path in ("/api/v1/settings/export", "/api/v1/accounts/{account}/settings/export"):
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert content["application/yaml"]["schema"]["type"] == "object"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("settings", "GET, POST"), ("stress", "GET, POST"), ("trades", "GET, POST")],
)
async def test_refused_method_is_told_every_other(platform, account, path, allowed):
    answer = await platform.caller.delete(f"/api/v1/accounts/{account}/{path}")
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed


async def test_changes_describe_the_settings_of_their_scope(document):
    schemas = document["components"]["schemas"]
    for name, known, other in (
        ("ChangeAccountSettings", "risk.risk_share", "compliance.sanctioned"),
        ("ChangePlatformSettings", "compliance.sanctioned", "risk.risk_share"),
    ):
        updates = schemas[name]["properties"]["updates"]
        assert not updates["additionalProperties"]
        assert known in updates["properties"]
        assert other not in updates["properties"]


async def test_payloads_that_are_no_base64_are_refused_by_their_shape(platform):
    body = {"payloads": [{"data": "no base64!"}]}
    answer = await platform.caller.post("/api/v1/codec/decode", json=body, headers=a_key())
    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:aether:problem:invalid-request",
    )


@pytest.mark.parametrize("kind", [Positive, Amount, Share, PartShare])
@pytest.mark.parametrize(
    "text", ["0.5", "1", "0.123456789", "0.0000000001", "0.100000001", "1e-10", 0.1 + 0.2, 1e-10]
)
def test_numbers_that_the_description_allows_are_accepted(kind, text):
    adapter = TypeAdapter(kind)
    assert adapter.validate_python(text) == Decimal(str(text))


@pytest.mark.parametrize("kind", [Positive, Amount, Share, PartShare])
@pytest.mark.parametrize("text", ["-1", "1e-31", "1e21", "1e999999", "NaN", "", "1_0", "x", True])
def test_numbers_that_no_record_holds_are_refused(kind, text):
    adapter = TypeAdapter(kind)
    with pytest.raises(ValidationError):
        adapter.validate_python(text)
    patterns = [s["pattern"] for s in adapter.json_schema()["anyOf"] if "pattern" in s]
    assert not any(re.search(pattern, str(text)) for pattern in patterns)

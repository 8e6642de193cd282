"""The bill of materials is valid CycloneDX and leaves nothing out that the locks have."""

import json
import re

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cli.bill_of_materials import ROOT, document, main

LOCK = (ROOT / "requirements.lock").read_text()
NODE = (ROOT / "ui" / "package-lock.json").read_text()


@pytest.fixture(scope="module")
def bill(tmp_path_factory):
    place = tmp_path_factory.mktemp("bill") / "deeper" / "sbom.json"
    assert main(place) == 0
    return json.loads(place.read_text())


def test_it_is_of_the_schema(bill):
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(bill)) is None
    bill_of_another_kind = json.dumps(bill | {"components": [{"nam": "x"}]})
    assert validator.validate_str(bill_of_another_kind) is not None


def test_every_locked_package_is_in_it_with_its_hashes(bill):
    pinned = set(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", LOCK, re.MULTILINE))
    assert len(pinned) == len(re.findall(r"^\S+==", LOCK, re.MULTILINE)) > 200
    told = {
        (one["name"], one["version"]): one
        for one in bill["components"]
        if one["purl"].startswith("pkg:pypi/")
    }
    assert set(told) == pinned
    hashes = {found["content"] for one in told.values() for found in one["hashes"]}
    assert hashes == set(re.findall(r"--hash=sha256:([0-9a-f]{64})", LOCK))


def test_the_pages_packages_are_in_it_but_not_what_builds_them(bill):
    told = {one["purl"] for one in bill["components"] if one["purl"].startswith("pkg:npm/")}
    wanted = json.loads((ROOT / "ui" / "package.json").read_text())
    for name, version in wanted["dependencies"].items():
        assert f"pkg:npm/{name.replace('@', '%40')}@{version}" in told
    assert not [one for one in told if one.startswith("pkg:npm/vitest@")]


def test_what_is_installed_on_some_machines_only_says_where():
    lock = "only-there==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:" + "ab" * 32 + "\n"
    (one,) = (
        found
        for found in json.loads(document("1", lock, NODE))["components"]
        if found["name"] == "only-there"
    )
    assert one["properties"] == [{"name": "marker", "value": 'sys_platform == "win32"'}]


def test_the_image_carries_it_and_one_command_makes_it():
    recipe = (ROOT / "infra" / "docker" / "Dockerfile").read_text()
    assert "python -m cli.bill_of_materials /opt/aether/sbom.json" in recipe
    assert recipe.index("COPY ui ui") < recipe.index("cli.bill_of_materials")
    assert "COPY --from=pages /opt/aether/sbom.json /opt/aether/sbom.json" in recipe
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(
        r"^sbom: .*\n\t@\$\(BIN\)/python -m cli.bill_of_materials$", makefile, re.MULTILINE
    )

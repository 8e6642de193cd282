"""What the platform is made of, as CycloneDX: ``python -m cli.bill_of_materials [FILE]``.

Every package of ``requirements.lock`` with its hashes, and those npm packages that the built pages
hold. Read from the locks, which are what is installed: nothing else is in the image of our making.
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).parents[1]
PLACE: Final = Path("build/sbom.json")
_HASH: Final = "--hash=sha256:"
_MODULES: Final = "node_modules/"


def python_packages(lock: str) -> Iterator[Component]:
    """Return every package of a lock with hashes, and where it is not installed everywhere, why."""
    for entry in lock.replace("\\\n", " ").splitlines():
        if not entry.strip() or entry.lstrip().startswith("#"):
            continue
        words, _, hashes = entry.partition(_HASH)
        found = Requirement(words.strip())
        (pinned,) = found.specifier
        marker = [] if found.marker is None else [Property(name="marker", value=str(found.marker))]
        yield Component(
            type=ComponentType.LIBRARY,
            name=found.name,
            version=pinned.version,
            bom_ref=f"pypi:{found.name}@{pinned.version}",
            purl=PackageURL("pypi", name=found.name, version=pinned.version),
            hashes=[
                HashType(alg=HashAlgorithm.SHA_256, content=one.strip())
                for one in hashes.split(_HASH)
            ],
            properties=marker,
        )


def node_packages(lock: str) -> Iterator[Component]:
    """Return what the pages use at run time; what only builds or tries them is left out."""
    for place, entry in json.loads(lock)["packages"].items():
        if not place or entry.get("dev"):
            continue
        path, version = place.rpartition(_MODULES)[2], entry["version"]
        namespace, _, name = path.rpartition("/")
        digest = base64.b64decode(entry["integrity"].removeprefix("sha512-")).hex()
        yield Component(
            type=ComponentType.LIBRARY,
            group=namespace or None,
            name=name,
            version=version,
            bom_ref=f"npm:{place}@{version}",
            purl=PackageURL("npm", namespace=namespace or None, name=name, version=version),
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
        )


def document(version: str, python_lock: str, node_lock: str) -> str:
    """Return the bill of materials of one version of the platform, CycloneDX 1.6 as JSON."""
    bom, parts = Bom(), [*python_packages(python_lock), *node_packages(node_lock)]
    product = Component(
        type=ComponentType.APPLICATION, name="aether", version=version, bom_ref="aether"
    )
    bom.metadata.component = product
    bom.components = parts
    bom.register_dependency(product, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1)


def main(place: Path, root: Path = ROOT) -> int:
    """Write the document of this tree."""
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    locks = (root / name for name in ("requirements.lock", "ui/package-lock.json"))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(document(project["version"], *(lock.read_text() for lock in locks)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else PLACE))

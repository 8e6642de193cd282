"""The image's steps, played in a fresh directory: the result starts, and shows its pages."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.pages.places import sources_hash
from tests.e2e.image.steps import play
from tests.support.prometheus import ROOT

pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]

DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"
SHOWS = """
import asyncio, re
import httpx
from fastapi import FastAPI
from api.routes.platform import pages
from infra.pages.places import BUILT, STAMP

async def look():
    app = FastAPI()
    pages.install(app)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        page = await client.get("/", headers={"accept": "text/html"})
        script = re.search(r'src="(/assets/[^"]+[.]js)"', page.text)
        found = await client.get(script.group(1)) if script else page
        print(page.status_code, found.status_code, found.headers["content-type"])

print(BUILT)
print((BUILT / STAMP).read_text().strip())
asyncio.run(look())
"""


def sooner(command):
    """Let uv install the packages, from the same hashes, and compile nothing beforehand."""
    uv = Path(sys.prefix) / "bootstrap" / "bin" / "uv"
    if uv.exists():
        command = re.sub(
            r"(\S+)/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes",
            rf"{uv} pip install --quiet --python \1/bin/python --require-hashes",
            command,
        )
    return command.replace("compileall -q", "compileall -q -r 0")


@pytest.fixture(scope="module")
def image():
    with tempfile.TemporaryDirectory(prefix="aether-image-", dir="/tmp") as directory:
        made = play(DOCKERFILE.read_text(), ROOT, Path(directory), sooner)
        # What the image is not made of must not help it.
        for name in set(made.roots) - {"final"}:
            shutil.rmtree(made.roots[name])
        yield made


def in_image(image, *words):
    python = image.root / "opt" / "aether" / "bin" / "python"
    done = subprocess.run(
        [python, *words], capture_output=True, text=True, check=False, cwd=image.root
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_of_the_image_runs_from_what_was_copied(image):
    assert "Usage: " in in_image(image, "-m", "cli.entry", "--help")
    found = in_image(image, "-c", "import api, workers; print(api.__file__, workers.__file__)")
    assert all(Path(path).is_relative_to(image.root) for path in found.split())
    assert [step.split()[0] for step in image.left_out] == ["groupadd"]


def test_the_image_shows_the_pages_of_its_sources_and_holds_no_node(image):
    built, stamp, shown = in_image(image, "-c", SHOWS).splitlines()
    assert Path(built).is_relative_to(image.root)
    assert stamp == sources_hash()
    assert re.fullmatch(r"200 200 (text|application)/javascript.*", shown), shown
    assert not (image.root / "opt" / "aether" / "node").exists()
    assert not list((image.root / "opt" / "aether").rglob("node_modules"))

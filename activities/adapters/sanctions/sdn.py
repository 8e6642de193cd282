"""OFAC's list of Specially Designated Nationals: its CSV or its XML, of a file or an address.

``sdn.csv`` has no header: number, name, kind, programs, and eight more columns of which the last
are remarks; ``-0-`` stands for nothing. ``sdn.xml`` has ``sdnEntry`` elements. Source: OFAC, "SDN
List Data Formats".
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError  # nosec B405

import httpx
from defusedxml.ElementTree import fromstring

from infra.runtime.errors import PlatformError
from models.trading.universe.sanctions import SanctionsEntry

LARGEST_BYTES: Final = 256 << 20
FEWEST_ENTRIES: Final = 100
"""The list has had thousands for decades: a shorter one is cut off, or something else."""
COLUMNS: Final = 12
SECONDS: Final = 60.0
_NOTHING: Final = "-0-"
_ALIAS: Final = re.compile(r"(?:a\.k\.a\.|f\.k\.a\.)\s*['\"]?([^'\";]+)")


class SanctionsListError(PlatformError):
    """What was given is no list of sanctions that can be relied on."""


@dataclass(frozen=True, slots=True)
class SanctionsList:
    """A list as it was read; ``published`` as the list itself says, empty where it does not."""

    digest: str
    published: str
    entries: tuple[SanctionsEntry, ...]


def read_list(source: str, fewest: int = FEWEST_ENTRIES) -> SanctionsList:
    """Read a list from a file or an address (https, or http of this machine).

    Raises:
        SanctionsListError: it cannot be had, is no list, or is too short to be whole.
    """
    content = _content(source)
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    try:
        published, entries = _xml(content) if start.startswith(b"<") else ("", tuple(_csv(content)))
    except (ParseError, csv.Error, ValueError) as error:
        raise SanctionsListError(f"{source}: not a list of sanctions: {error}") from None
    if len(entries) < fewest:
        raise SanctionsListError(f"{source}: {len(entries)} entries; a whole list has thousands")
    return SanctionsList(hashlib.sha256(content).hexdigest(), published, entries)


def _content(source: str) -> bytes:
    address = urlsplit(source)
    if address.scheme not in ("http", "https"):
        path = Path(source)
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            raise SanctionsListError(f"{source}: there is no such file, or it is too large")
        return path.read_bytes()
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise SanctionsListError(f"{source}: a list is fetched by https only")
    read = bytearray()
    try:
        with httpx.stream("GET", source, timeout=SECONDS, trust_env=False) as answer:
            answer.raise_for_status()
            for block in answer.iter_bytes():
                read += block
                if len(read) > LARGEST_BYTES:
                    raise SanctionsListError(f"{source}: larger than {LARGEST_BYTES >> 20} MB")
    except httpx.HTTPError as error:
        raise SanctionsListError(f"{source}: {error}") from None
    return bytes(read)


def _csv(content: bytes) -> Iterator[SanctionsEntry]:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig", errors="replace"), newline=""))
    for row in rows:
        if row == ["\x1a"] or not row:  # the published file ends with this mark
            continue
        if len(row) != COLUMNS:
            raise ValueError(f"line {rows.line_num} has {len(row)} columns, must be {COLUMNS}")
        fields = ["" if text.strip() == _NOTHING else text.strip() for text in row]
        aliases = tuple(name.strip() for name in _ALIAS.findall(fields[11]))
        yield SanctionsEntry(int(fields[0]), fields[1], fields[2] or "entity", fields[3], aliases)


def _xml(content: bytes) -> tuple[str, tuple[SanctionsEntry, ...]]:
    # Entities are what makes small files grow without end; the list has none, nor a document type.
    root = fromstring(content, forbid_dtd=True)
    published, entries = "", []
    for one in root.iter():
        tag = one.tag.rpartition("}")[2]
        if tag == "Publish_Date":
            published = (one.text or "").strip()
        elif tag == "sdnEntry":
            entries.append(_entry(one))
    return published, tuple(entries)


def _entry(element: Element) -> SanctionsEntry:
    def texts(name: str, within: Element = element) -> list[str]:
        found = (one for one in within.iter() if one.tag.rpartition("}")[2] == name)
        return [(one.text or "").strip() for one in found]

    # Only the types are the standard library's: what is untrusted is read by defusedxml.
    own = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
    akas = [child for child in element.iter() if child.tag.rpartition("}")[2] == "aka"]
    if "uid" not in own:
        raise ValueError("an entry has no number")
    aliases = tuple(name for aka in akas for name in texts("lastName", aka))
    return SanctionsEntry(
        int(own["uid"]), own.get("lastName", ""), own.get("sdnType", ""),
        ", ".join(texts("program")), aliases,
    )  # fmt: skip

"""The API's description without a running platform: from it the pages' client is generated."""

import json
import sys
from pathlib import Path
from typing import Any

from activities.adapters.people.sealing import Sealing
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.requests import PostgresRequests
from activities.execution.protection_load import ProtectionLoad
from api.app import create_app
from api.http.admission import EntryAdmission
from api.services import CodecSessions, Identity, Services
from infra.runtime.database.connections import Database
from infra.runtime.settings import Settings
from infra.runtime.temporal.codec import EncryptionCodec, PayloadKey


async def _none_waiting() -> Any:
    raise NotImplementedError("nothing is asked of a description")


def description() -> dict[str, Any]:
    """Return the OpenAPI document of this release; nothing is connected."""
    database = Database("postgresql://nobody@127.0.0.1/none")
    services = Services(
        settings=Settings(),
        database=database,
        journal=PostgresJournal(database),
        requests=PostgresRequests(database),
        codec=EncryptionCodec([PayloadKey("none", bytes(32))]),
        degraded_modes=[],
        codec_sessions=CodecSessions(1),
        admission=EntryAdmission(ProtectionLoad(_none_waiting)),
        identity=Identity(database, Sealing([("none", bytes(32))])),
    )
    document: dict[str, Any] = create_app(services).openapi()
    return document


def as_snapshot(document: dict[str, Any]) -> str:
    """Return the text of a document as it is committed."""
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def write_snapshot(path: Path) -> None:
    """Write the description of this release to a file."""
    path.write_text(as_snapshot(description()))


if __name__ == "__main__":
    write_snapshot(Path(sys.argv[1]))

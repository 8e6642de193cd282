"""The witness's service on a second machine: cosigns checkpoints that it is sent over HTTP.

It speaks C2SP's tlog-witness and has a memory of its own (``FileWitness``); it needs neither the
database nor a secret of the platform. Put TLS before it where it listens beyond loopback.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from activities.adapters.record.file_witness import FileWitness
from activities.adapters.record.http_witness import SIZE_TYPE
from activities.ports.record import WitnessRefusedError, WitnessUnavailableError
from infra.runtime.note_keys import NoteVerifier
from models.trading.governance.record.checkpoints import CheckpointError, checkpoint_of, note_of

LONGEST_REQUEST = 65_536
MOST_HASHES = 63


def witness_application(witness: FileWitness, log: NoteVerifier) -> web.Application:
    """Return the application over a witness of one log."""

    async def add(request: web.Request) -> web.Response:
        try:
            old, proof, note = parsed(await request.text())
            signed = note_of(note)
            shown = checkpoint_of(signed.text)
        except (CheckpointError, ValueError):
            return _told(HTTPStatus.BAD_REQUEST, "not a checkpoint with its proof")
        if shown.origin != log.name:
            return _told(HTTPStatus.NOT_FOUND, "another log")
        if log.signed_at(signed) is None:
            return _told(HTTPStatus.FORBIDDEN, "not signed by the log")
        try:
            known = await witness.cosigned_size()
            if old != known:
                return _told(HTTPStatus.CONFLICT, f"{known}\n", SIZE_TYPE)
            return _told(HTTPStatus.OK, await witness.cosign(old, proof, note))
        except WitnessRefusedError as error:
            return _told(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except WitnessUnavailableError as error:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    application = web.Application(client_max_size=LONGEST_REQUEST)
    application.router.add_post("/add-checkpoint", add)
    return application


def parsed(body: str) -> tuple[int, list[bytes], str]:
    """Return the old size, the proof and the checkpoint of a request.

    Raises:
        ValueError: it is none.
    """
    head, divided, note = body.partition("\n\n")
    first, *hashes = head.split("\n")
    word, _, size = first.partition(" ")
    if not divided or word != "old" or not size.isascii() or not size.isdigit():
        raise ValueError("no request of a witness")
    if len(hashes) > MOST_HASHES:
        raise ValueError("too many hashes")
    try:
        return int(size), [base64.b64decode(one, validate=True) for one in hashes], note
    except binascii.Error:
        raise ValueError("a hash is not base64") from None


def serve_witness(
    directory: Path,
    log: NoteVerifier,
    host: str,
    port: int,
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT; ``tell`` is given the witness's key first."""
    witness = FileWitness(directory, log, clock)
    tell(witness.verifier.text())
    web.run_app(witness_application(witness, log), host=host, port=port, print=None)


def _told(status: HTTPStatus, words: str, kind: str = "text/plain") -> web.Response:
    return web.Response(status=status, text=words, content_type=kind)

"""A witness on another machine, asked over HTTP as C2SP's tlog-witness has it.

``POST /add-checkpoint``: ``old SIZE``, the proof one hash a line, an empty line, the checkpoint. It
answers with its cosignature, or 409 and the size that it knows. What it has cosigned last is kept
here as well, so that the proof begins there; only its own memory counts.
"""

import base64
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from activities.ports.record import WitnessRefusedError, WitnessUnavailableError
from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically
from infra.runtime.note_keys import WITNESS, NoteVerifier
from models.trading.governance.record.checkpoints import CheckpointError, checkpoint_of, note_of

TIMEOUT_SECONDS = 5.0
LONGEST_ANSWER = 16_384
SIZE_TYPE = "text/x.tlog.size"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class HttpWitness:
    """Implement ``Witness``.

    Args:
        url: root of the witness.
        known: its key, by which each of its signatures is checked.
        memory: file with the size that it has cosigned last.
    """

    def __init__(self, url: str, known: NoteVerifier, memory: Path) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise StateError("AETHER_WITNESS_URL: a witness elsewhere is asked over https only")
        if known.kind != WITNESS:
            raise StateError("AETHER_WITNESS_KEY is not the key of a witness")
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._known = known
        self._memory = memory

    async def cosigned_size(self) -> int:
        """Return the size that it has cosigned last, as far as is known here."""
        try:
            return int(self._memory.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    async def cosign(self, old: int, proof: Sequence[bytes], note: str) -> str:
        """Return the line of its signature, once that has been verified.

        Raises:
            WitnessRefusedError: the checkpoint contradicts what it remembers.
            WitnessUnavailableError: it does not answer, or knows another size: asked again.
        """
        lines = [f"old {old}", *(base64.b64encode(one).decode() for one in proof), "", note]
        status, kind, answer = await self._post("\n".join(lines).encode())
        if status == HTTPStatus.OK:
            return self._checked(note, answer)
        if status == HTTPStatus.CONFLICT and kind == SIZE_TYPE:
            raise self._other_size(answer, checkpoint_of(note_of(note).text).size)
        words = f"the witness answers {status}: {answer[:200].strip()}"
        if status in (HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT):
            raise WitnessRefusedError(words)
        raise WitnessUnavailableError(words)

    async def _post(self, body: bytes) -> tuple[int, str, str]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(self._url, data=body, allow_redirects=False) as answer,
            ):
                content = await answer.content.read(LONGEST_ANSWER)
                return answer.status, answer.content_type, content.decode("utf-8", "replace")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise WitnessUnavailableError(f"{type(error).__name__}: {error}") from None

    def _other_size(self, answer: str, size: int) -> Exception:
        if not answer.strip().isascii() or not answer.strip().isdigit():
            return WitnessUnavailableError("the witness tells no size")
        told = int(answer)
        if told > size:
            return WitnessRefusedError(
                f"the log has {size} rows, and the witness has cosigned {told}: rows were cut off, "
                "or an older copy was restored"
            )
        self._remember(told)
        return WitnessUnavailableError(f"the witness knows {told} rows; growth is proven from them")

    def _checked(self, note: str, line: str) -> str:
        try:
            signed = note_of(note + line)
            size = checkpoint_of(signed.text).size
        except CheckpointError as error:
            raise WitnessRefusedError(f"the witness's answer is no signature: {error}") from None
        if self._known.signed_at(signed) is None:
            raise WitnessRefusedError("the witness's signature is not by its known key")
        self._remember(size)
        return line

    def _remember(self, size: int) -> None:
        write_atomically(self._memory, f"{size}\n".encode(), 0o600)

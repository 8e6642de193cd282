"""`aether audit export-pack`: composes what writes evidence packs."""

from activities.adapters.postgres.record.evidence import PostgresEvidence
from activities.adapters.record.pack_targets import pack_target
from activities.adapters.record.signer import LogSigner, log_key
from activities.ports.record import RecordDamagedError, Selection
from activities.record.evidence import EvidenceExporter, Pack, PackRefusedError
from cli.output.records import database_of
from infra.runtime.database.connections import Role
from infra.runtime.errors import ConfigurationError, NotRunningError, StateError
from infra.runtime.note_keys import verifier_of
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.trading.governance.record.checkpoints import CheckpointError


async def exported(
    settings: Settings, place: str, selection: Selection, earlier: str | None
) -> Pack:
    """Write a pack to a place.

    Raises:
        StateError: the record is damaged, or its key is not here.
        ConfigurationError: the place or the earlier checkpoint cannot be used.
        NotRunningError: something could not be written; repeating it goes on.
    """
    import rfc8785

    places = StateDirectory(settings.home)
    key_file = places.record / "log.key"
    if not key_file.exists():
        raise StateError("the record's key is not here: start the platform once, aether up")
    key = key_file.read_text()
    signer = LogSigner(
        log_key(installation_secrets(settings), places.secrets),
        places.record,
        verifier_of(key).name,
    )
    target = pack_target(place)
    try:
        async with database_of(settings, "aether-evidence", Role.RECORDER) as database:
            exporter = EvidenceExporter(PostgresEvidence(database), signer, rfc8785.dumps, key)
            return await exporter.export(target, selection, earlier)
    except (CheckpointError, PackRefusedError) as error:
        raise ConfigurationError(str(error)) from None
    except RecordDamagedError as error:
        raise StateError(f"{error}: aether audit verify says what was changed") from None
    except OSError as error:
        raise NotRunningError(f"{error}; what was written stays, repeat the command") from None

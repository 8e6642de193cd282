"""Secrets of an installation: one port, three stores, picked by the settings."""

from pathlib import Path
from typing import TYPE_CHECKING

from infra.runtime.errors import ConfigurationError
from infra.runtime.secrets.installation import ExchangeKey, InstallationSecrets
from infra.runtime.secrets.local import LocalStore
from infra.runtime.secrets.mounted import MountedSecrets
from infra.runtime.secrets.store import SecretsError, SecretsState, SecretStore
from infra.runtime.state_directory import StateDirectory

if TYPE_CHECKING:
    from infra.runtime.secrets.vault import VaultStore
    from infra.runtime.settings import Settings

__all__ = [
    "ExchangeKey",
    "InstallationSecrets",
    "SecretStore",
    "SecretsError",
    "SecretsState",
    "installation_secrets",
    "local_secrets",
    "secret_store",
]


def installation_secrets(settings: "Settings") -> InstallationSecrets:
    """Return the installation's secrets in the store that the settings name.

    Raises:
        ConfigurationError: a setting that the store needs is missing.
    """
    return InstallationSecrets(secret_store(settings))


def local_secrets(directory: Path) -> InstallationSecrets:
    """Return secrets in the local store of a directory, under a key file in it."""
    return InstallationSecrets(LocalStore(directory))


def secret_store(settings: "Settings") -> SecretStore:
    """Return the store that the settings name; nothing is read yet.

    Raises:
        ConfigurationError: a setting that it needs is missing.
    """
    if settings.secrets == "vault":
        return _vault(settings)
    if settings.secrets == "kubernetes":
        if settings.secrets_directory is None:
            raise ConfigurationError("AETHER_SECRETS_DIRECTORY: where the Secret is mounted")
        return MountedSecrets(settings.secrets_directory)
    return LocalStore(
        StateDirectory(settings.home).secrets,
        settings.secrets_key_file,
        settings.secrets_passphrase_file,
    )


def _vault(settings: "Settings") -> "VaultStore":
    from infra.runtime.secrets.vault import SERVICE_ACCOUNT_TOKEN, VaultPlace, VaultStore

    if not settings.vault_address:
        raise ConfigurationError("AETHER_VAULT_ADDRESS: where Vault or OpenBao is")
    by_approle = settings.vault_auth == "approle"
    if by_approle and None in (settings.vault_role_id_file, settings.vault_secret_id_file):
        raise ConfigurationError(
            "AETHER_VAULT_ROLE_ID_FILE and AETHER_VAULT_SECRET_ID_FILE: the two halves of the role"
        )
    return VaultStore(
        VaultPlace(
            settings.vault_address,
            settings.vault_mount,
            settings.vault_path,
            settings.vault_auth,
            settings.vault_role,
            settings.vault_role_id_file,
            settings.vault_secret_id_file,
            settings.vault_authority_file,
            settings.vault_transit_key,
            settings.vault_namespace,
            settings.vault_service_account_file or SERVICE_ACCOUNT_TOKEN,
        )
    )

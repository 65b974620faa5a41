"""Prepares the database of every service: `python -m infra.migrate`, run by the owner before services start."""

import asyncio
import sys
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs import postgres

SERVICES = Path(__file__).parents[1] / "services"


class MigrationSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    postgres_admin_url: SecretStr = Field(description="Server and database of the owner, with its password.")
    postgres_password: SecretStr = Field(description="Password the services' roles are given.")
    namespace: str = Field("", pattern=r"^[a-z0-9]{0,24}$", description="Prefix of the databases' names.")


def services() -> dict[str, Path]:
    return {folder.parent.name: folder for folder in sorted(SERVICES.glob("*/migrations"))}


async def migrate(settings: MigrationSettings) -> list[str]:
    found = services()
    for service, migrations in found.items():
        await postgres.provision(
            settings.postgres_admin_url.get_secret_value(),
            service,
            settings.namespace,
            settings.postgres_password.get_secret_value(),
            migrations,
        )
    return list(found)


if __name__ == "__main__":
    print("prepared:", ", ".join(asyncio.run(migrate(MigrationSettings()))))
    sys.exit(0)

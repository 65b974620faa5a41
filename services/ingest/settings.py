from typing import Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from libs.service import ServiceSettings
from services.ingest import policies
from services.ingest.policies import Access


class Dataset(BaseModel):
    """Where a dataset is fetched from; the address may hold a key, so that it is a secret."""

    url: SecretStr
    dataset: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")


class IngestSettings(ServiceSettings):
    # A refusal of the settings must not show the secrets among them.
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True, hide_input_in_errors=True)

    ingest_max_input_bytes: int = Field(
        128 * 2**20, gt=0, description="Largest file that is read; the whole catalogue of Space-Track has 80 MiB."
    )
    ingest_epoch_lead_days: float = Field(
        7.0, gt=0, description="How far an epoch may lie after its publication; operators publish some days ahead."
    )
    ingest_batch_records: int = Field(2000, gt=0, description="Element sets read and recorded at once.")
    ingest_elements_late_hours: float = Field(24.0, gt=0, description="Catalogues are refreshed several times a day.")
    ingest_elements_stale_hours: float = Field(72.0, gt=0, description="Older sets make decay windows useless.")
    ingest_weather_late_hours: float = Field(36.0, gt=0, description="Space weather is published daily.")
    ingest_weather_stale_hours: float = Field(96.0, gt=0, description="The forecast relaxes to its mean by then.")
    ingest_airspace_late_hours: float = Field(28 * 24.0 + 48.0, gt=0, description="One AIRAC cycle and two days.")
    ingest_airspace_stale_hours: float = Field(3 * 28 * 24.0, gt=0, description="Three AIRAC cycles.")
    ingest_redistribution: dict[str, Literal["public", "space-track", "discos", "internal"]] = Field(
        {},
        description="Redistribution class by source as JSON, before the built-in table; in neither: internal.",
    )
    ingest_sources: tuple[str, ...] = Field(
        (), description="Sources that are polled, feeds or whole providers, as a JSON list; none unless named here."
    )
    ingest_space_track_user: str = Field("", description="Account at Space-Track.")
    ingest_space_track_password: SecretStr = Field(SecretStr(""), description="Password of the Space-Track account.")
    ingest_discos_token: SecretStr = Field(SecretStr(""), description="Access token of ESA DISCOS.")
    ingest_datasets: dict[str, Dataset] = Field(
        {}, description='Of each dataset feed that is polled: {"url": ..., "dataset": name}, as JSON.'
    )
    ingest_base_urls: dict[str, str] = Field(
        {}, description="Address of a provider in place of its own, such as that of a mirror, as JSON."
    )
    ingest_proxy: str = Field("", description="HTTP proxy to the sources; empty: none.")
    ingest_history_objects: tuple[int, ...] = Field(
        (), description="Objects whose whole history is fetched once, beside those predicted to come down."
    )
    ingest_watch_s: float = Field(
        30.0, ge=0, description="How often the age of every source is looked at, seconds; 0: never, as in a replay."
    )

    @model_validator(mode="after")
    def _sources_can_be_polled(self) -> Self:
        held = {
            Access.OPEN: True,
            Access.SESSION: bool(self.ingest_space_track_user and self.ingest_space_track_password.get_secret_value()),
            Access.BEARER: bool(self.ingest_discos_token.get_secret_value()),
        }
        for policy in policies.enabled(self.ingest_sources):
            if not held[policy.provider.access]:
                raise ValueError(f"{policy.name} needs {policy.provider.access.value}; set them, or leave it out")
            if policy.dataset and policy.name not in self.ingest_datasets:
                raise ValueError(f"{policy.name} needs its address and dataset in SPACECOM_INGEST_DATASETS")
        return self

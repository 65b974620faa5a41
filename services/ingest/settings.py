from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.service import ServiceSettings


class IngestSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

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

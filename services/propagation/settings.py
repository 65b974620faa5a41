from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.service import ServiceSettings


class PropagationSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    propagation_samples: int = Field(
        1000, ge=100, le=100_000, description="Samples of a prediction; 1000 give the 90 % width to 2.8 %."
    )
    propagation_horizon_days: float = Field(
        60.0,
        gt=0,
        le=120,
        description="Objects that stay up longer are declined: the weather forecast is empty by then.",
    )
    propagation_watch_below_km: float = Field(
        300.0, gt=0, description="Perigee below which every new set is predicted; decay takes weeks from there."
    )
    propagation_workers: int = Field(1, ge=1, description="Predictions made at the same time.")
    propagation_threads: int = Field(2, ge=1, description="Threads of one prediction.")

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.service import ServiceSettings


class HazardSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    hazard_airspace_dataset: str = Field("", description="Airspace to use; empty: the one recorded last.")
    hazard_max_samples: int = Field(10_000, ge=100, le=100_000, description="Most samples of a run.")
    hazard_chunk_samples: int = Field(250, ge=10, description="Samples of a chunk: a few seconds of work.")
    hazard_chunk_timeout_s: float = Field(300.0, gt=0, description="Time after which a chunk's attempt has failed.")
    hazard_worker_threads: int = Field(2, ge=1, description="Threads of one chunk.")
    hazard_worker_memory_gib: float = Field(1.0, gt=0, description="Private memory of a process that flies a chunk.")
    hazard_settling_memory_gib: float = Field(
        3.0, gt=0, description="Private memory of a process that settles a run, computes exposure or plans closures."
    )
    hazard_quick_samples: int = Field(100, ge=0, le=1000, description="Samples of the quick corridor; 0: none is made.")
    hazard_run_stalled_s: float = Field(
        1800.0, gt=0, description="Without an outcome of a chunk for so long, a run makes room for a newer prediction."
    )
    hazard_max_running: int = Field(50, ge=1, description="Runs being flown at which one asked for is refused.")

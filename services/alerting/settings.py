from pydantic import Field
from pydantic_settings import SettingsConfigDict

from libs.service import ServiceSettings


class AlertingSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    alerting_share: float = Field(
        0.002,
        gt=0,
        le=1,
        description="Share from which a region is alerted: two of a thousand samples, the noise floor.",
    )
    alerting_pass_probability: float = Field(
        0.5, gt=0, le=1, description="Probability of a pass within the window from which a region is alerted."
    )
    alerting_clear_factor: float = Field(
        0.5,
        gt=0,
        le=1,
        description="An alert is cleared below this part of both thresholds, so that it does not flicker.",
    )
    alerting_rearm_factor: float = Field(
        2.0, gt=1, description="Growth of the share after which an acknowledgement no longer stands."
    )
    alerting_watch_days: float = Field(7.0, gt=0, description="Time to the window from which an event is on watch.")
    alerting_warning_hours: float = Field(
        48.0, gt=0, description="From which it is a warning: plans are filed by then."
    )
    alerting_imminent_hours: float = Field(6.0, gt=0, description="From which it is imminent: aircraft are in flight.")

"""Creates the topics that are missing: `python -m infra.declare`, run before services start."""

import asyncio
import sys

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs import topics


class TopicSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SPACECOM_", frozen=True)

    kafka_bootstrap: str = Field(description="Kafka brokers as host:port, separated by commas.")
    namespace: str = Field("", pattern=r"^[a-z0-9]{0,24}$", description="Prefix of the topics' names.")


async def declare(settings: TopicSettings) -> list[str]:
    await topics.declare(settings.kafka_bootstrap, settings.namespace)
    return [topics.topic_name(topic.name, settings.namespace) for topic in topics.TOPICS]


if __name__ == "__main__":
    print("declared:", ", ".join(asyncio.run(declare(TopicSettings()))))
    sys.exit(0)

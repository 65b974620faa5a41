"""Where events go: one topic a service with one writer, and a topic of its own for internal work."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from libs import redistribution
from libs.redistribution import PUBLIC

DAY_MS = 86_400_000
PER_FACT = "per-fact"  # each fact of the topic says its own redistribution class


class NoTopic(Exception):
    """The event could not be published, and would block all behind it."""


class WrongClass(Exception):
    """The event would reach those who have no right to it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and who writes and reads it.

    `by_event`: the key is the event's own, so that the events of one stream spread over all partitions; order between
    them does not hold, and a consumer's progress is kept for each event.
    `redistribution`: the class of all its facts, or PER_FACT. Consumers of the mesh are the organisation's own and read
    every topic; a partner's ACL is given where `open_to` says so.
    """

    name: str
    writer: str
    consumers: tuple[str, ...]
    partitions: int = 6
    retention_ms: int = 14 * DAY_MS  # a cache; the log is the archive
    by_event: bool = False
    redistribution: str = redistribution.INTERNAL


TOPICS = (
    Topic("spacecom.ingest.v1", "ingest", ("propagation", "hazard-airspace"), redistribution=PER_FACT),
    Topic("spacecom.propagation.v1", "propagation", ("hazard", "ingest-reentries"), redistribution=PUBLIC),
    Topic("spacecom.hazard.v1", "hazard", ("hazard-runs", "alerting"), redistribution=PUBLIC),
    Topic("spacecom.hazard.work.v1", "hazard", ("hazard-worker",), partitions=16, by_event=True),
    Topic("spacecom.alerting.v1", "alerting", (), redistribution=PUBLIC),
)
INTERNAL = {"spacecom.hazard.v1.ChunkRequested": "spacecom.hazard.work.v1"}

_BY_NAME = {topic.name: topic for topic in TOPICS}


def topic_of(event_type: str) -> Topic:
    """Topic of an event by its full protobuf name."""
    name = INTERNAL.get(event_type, event_type.rpartition(".")[0])
    if name not in _BY_NAME:
        raise NoTopic(f"events of type {event_type} have no topic; declare one in libs/topics.py")
    return _BY_NAME[name]


def redistribution_of(event_type: str, stated: str) -> str:
    """Class of an event; `stated` is what its writer says of it, empty for nothing."""
    topic = topic_of(event_type)
    if topic.redistribution == PER_FACT:
        return stated or redistribution.INTERNAL
    if stated not in ("", topic.redistribution):
        raise WrongClass(f"{event_type} of class {stated} may not go to {topic.name}, which is {topic.redistribution}")
    return topic.redistribution


def open_to(topic: Topic, rights: frozenset[str]) -> bool:
    """Whether a partner with these rights may be given an ACL to read the topic as it is."""
    classes = redistribution.CLASSES if topic.redistribution == PER_FACT else [topic.redistribution]
    return all(redistribution.allows(rights, one) for one in classes)


def key(topic: Topic, stream: str, sequence: int) -> str:
    """Order holds within a key, and a consumer's progress is kept for each."""
    return f"{stream}#{sequence}" if topic.by_event else stream


def topic_name(name: str, namespace: str) -> str:
    """Name on the broker of a topic of TOPICS."""
    return f"{namespace}.{_BY_NAME[name].name}" if namespace else _BY_NAME[name].name


def split(name: str) -> tuple[str, Topic]:
    """Namespace and topic behind a name on the broker."""
    namespace, _, rest = name.rpartition("spacecom.")
    return namespace.rstrip("."), _BY_NAME["spacecom." + rest]


def group(consumer: str, namespace: str) -> str:
    return f"{namespace}.spacecom.{consumer}" if namespace else f"spacecom.{consumer}"


def written_by(service: str) -> list[Topic]:
    return [topic for topic in TOPICS if topic.writer == service]


async def declare(bootstrap_servers: str, namespace: str, topics: Iterable[Topic] = TOPICS) -> None:
    """Creates what is missing; a topic that exists is left as it is."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        answer = await admin.create_topics([_new(topic, namespace) for topic in topics])
    finally:
        await admin.close()
    for name, code, *detail in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"topic {name} could not be created: {detail}")


def _new(topic: Topic, namespace: str) -> NewTopic:
    configs = {"retention.ms": str(topic.retention_ms), "cleanup.policy": "delete"}
    return NewTopic(topic_name(topic.name, namespace), topic.partitions, 1, topic_configs=configs)

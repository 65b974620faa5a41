import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from libs import topics
from libs.tests.facts import eventually
from libs.topics import NoTopic, Topic


def test_an_event_goes_to_the_topic_of_its_service_and_work_to_its_own():
    assert topics.topic_of("spacecom.hazard.v1.HazardAssessed").name == "spacecom.hazard.v1"
    assert topics.topic_of("spacecom.hazard.v1.ChunkRequested").name == "spacecom.hazard.work.v1"


@pytest.mark.parametrize("kind", ["", "x", "spacecom.nothing.v1.X", "spacecom.identity.v1.Contract", ".", "spacecom"])
def test_what_has_no_topic_is_refused(kind):
    with pytest.raises(NoTopic, match=r"libs/topics\.py"):
        topics.topic_of(kind)


def test_a_topic_has_one_writer_and_its_name_says_which():
    for topic in topics.TOPICS:
        assert topic.name.split(".")[:2] == ["spacecom", topic.writer]
        assert topic in topics.written_by(topic.writer)


def test_a_consumer_reads_one_topic():
    """INVARIANT: progress is kept by (consumer, stream); with two topics of one name their streams would meet."""
    consumers = [consumer for topic in topics.TOPICS for consumer in topic.consumers]
    assert len(set(consumers)) == len(consumers)


def test_facts_flow_to_the_right_and_but_one_consumer_reads_back():
    """adr/0022: polling follows what the mesh predicts; nothing else may depend on what comes of it."""
    order = ["ingest", "propagation", "hazard", "alerting"]
    for topic in topics.TOPICS:
        readers = {consumer.partition("-")[0] for consumer in topic.consumers if consumer != "ingest-reentries"}
        assert all(order.index(reader) >= order.index(topic.writer) for reader in readers)


@pytest.mark.parametrize("namespace", ["", "t1"])
def test_a_name_on_the_broker_leads_back_to_namespace_and_topic(namespace):
    for topic in topics.TOPICS:
        assert topics.split(topics.topic_name(topic.name, namespace)) == (namespace, topic)


def test_namespaces_share_no_topic_and_no_group():
    names = {topics.topic_name(t.name, n) for t in topics.TOPICS for n in ("", "a", "b")}
    assert len(names) == 3 * len(topics.TOPICS)
    assert len({topics.group("hazard", n) for n in ("", "a", "b")}) == 3


def test_the_key_is_the_stream_or_where_order_is_nothing_the_event():
    assert topics.key(Topic("x", "x", ()), "run/1", 7) == "run/1"
    assert topics.key(Topic("x", "x", (), by_event=True), "run/1", 7) == "run/1#7"


async def test_declaring_makes_what_is_missing_and_leaves_what_is_there(kafka, namespace):
    await topics.declare(kafka.bootstrap, namespace, topics.TOPICS[:2])
    await topics.declare(kafka.bootstrap, namespace)
    await topics.declare(kafka.bootstrap, namespace)
    names = {topics.topic_name(topic.name, namespace): topic for topic in topics.TOPICS}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()

    async def made() -> bool:
        found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(list(names))}
        return found == {name: topic.partitions for name, topic in names.items()}

    try:
        await eventually(made)
        resource = ConfigResource(ConfigResourceType.TOPIC, next(iter(names)), {"cleanup.policy": None})
        (answer,) = await admin.describe_configs([resource])
    finally:
        await admin.close()
    assert [entry[1] for entry in answer.resources[0][4]] == ["delete"]

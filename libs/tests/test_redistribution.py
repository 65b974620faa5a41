import pytest

from libs import redistribution, topics
from libs.redistribution import CLASSES, allows, combined
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_OPERATOR, ROLE_VIEWER, Entitlements


@pytest.mark.parametrize(
    ("classes", "whole"),
    [
        ([], "public"),
        (["public", "public"], "public"),
        (["public", "space-track"], "space-track"),
        (["space-track", "discos"], "discos,space-track"),
        (["discos,space-track", "internal"], "discos,internal,space-track"),
        (["something new"], "internal"),
    ],
)
def test_what_holds_several_facts_needs_the_right_to_each(classes, whole):
    assert combined(classes) == whole


@pytest.mark.parametrize(
    ("held", "fact", "allowed"),
    [
        (set(), "public", True),
        (set(), "space-track", False),
        ({"space-track"}, "space-track", True),
        ({"space-track"}, "discos,space-track", False),
        ({"space-track", "discos"}, "discos,space-track", True),
        ({"space-track", "discos"}, "internal", False),
        ({"space-track", "discos"}, "", False),
        ({"space-track", "discos"}, "a class of tomorrow", False),
    ],
)
def test_a_right_is_needed_for_each_class_and_an_unknown_class_is_internal(held, fact, allowed):
    assert allows(frozenset(held) | {"public"}, fact) is allowed


@pytest.mark.parametrize(("role", "all_of_them"), [(ROLE_VIEWER, False), (ROLE_ANALYST, False), (ROLE_OPERATOR, True)])
def test_only_the_operator_has_rights_that_no_contract_names(role, all_of_them):
    assert (redistribution.rights(Entitlements(), [role]) == set(CLASSES)) is all_of_them


DECAY, ELEMENTS = "spacecom.propagation.v1.DecayPredicted", "spacecom.ingest.v1.ElementSetAccepted"


def test_a_fact_is_of_the_class_of_its_topic_or_of_its_own():
    assert topics.redistribution_of(DECAY, "") == "public"
    assert topics.redistribution_of(ELEMENTS, "space-track") == "space-track"
    assert topics.redistribution_of(ELEMENTS, "") == "internal"


def test_a_restricted_fact_does_not_enter_the_log_of_a_public_topic():
    """INVARIANT: what a partner may read holds nothing a partner may not have, whatever the code that writes it."""
    with pytest.raises(topics.WrongClass):
        topics.redistribution_of(DECAY, "space-track")


def test_a_partner_may_read_topics_of_derived_facts_only():
    opened = {topic.name for topic in topics.TOPICS if topics.open_to(topic, frozenset({"public", "space-track"}))}
    assert opened == {"spacecom.propagation.v1", "spacecom.hazard.v1", "spacecom.alerting.v1"}

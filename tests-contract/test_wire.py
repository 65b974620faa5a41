"""The wire: linted, unbroken, described, and routed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from libs import topics

CHECKOUT = Path(__file__).parents[1]


def test_buf_lints_it_and_finds_nothing_broken_since_main():
    if shutil.which("npm") is None:
        pytest.skip("Node is not installed: the wire was not linted by buf")
    done = subprocess.run(["make", "-s", "buf"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_message_field_and_value_of_events_is_described(messages):
    silent = [message.full_name for message in messages if not message.comment]
    silent += [
        f"{message.full_name}.{field.name}" for message in messages for field in message.fields if not field.comment
    ]
    assert not silent


def test_every_event_type_has_a_topic_of_its_owner(event_types):
    for event_type in event_types:
        assert topics.topic_of(event_type).writer == event_type.split(".")[1]


def test_every_topic_has_an_event_type(event_types):
    assert {topics.topic_of(event_type).name for event_type in event_types} == {topic.name for topic in topics.TOPICS}


def test_what_is_routed_apart_exists(event_types):
    assert set(topics.INTERNAL) <= event_types


def test_no_field_of_an_event_is_unsigned_and_a_state_not_set_is_zero(messages):
    """A negative number read as a huge one, and a default taken for an answer, are both silent."""
    for message in messages:
        if message.is_enum:
            zero = next(value for value in message.fields if value.kind == "0")
            assert zero.name.endswith("_UNSPECIFIED")
        else:
            assert not [field.name for field in message.fields if "uint" in field.kind or "fixed" in field.kind]

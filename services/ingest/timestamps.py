"""Instants on the wire."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp(instant: datetime | None) -> Timestamp | None:
    """None where a field is to stay unset."""
    if instant is None:
        return None
    since = instant - _EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)

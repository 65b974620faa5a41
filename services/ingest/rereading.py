"""A recorded fact beside what the present reader finds in the input it was read from."""

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import Message

from libs import recomputed
from libs.compared import Field
from libs.recomputed import Names
from services.ingest import airspace, codec, domain, messages, traffic, weather
from services.ingest.days import changed
from services.ingest.domain import Delivery, Event, WeatherIndex
from services.ingest.reading import Reading
from spacecom.ingest.v1 import ingest_events_pb2 as pb

NAMES: Names = {
    kind: lambda day: str(day.mjd) for kind in (pb.SpaceWeatherDay, pb.SpaceWeatherIndexDay, pb.EarthOrientationDay)
}
LEFT_OUT = ("flags", "semi_major_axis_jump_km", "invalid_features")  # of other facts, or of what was converted before


def input_of(message: Any) -> str:
    """SHA-256 of the bytes. Raises NothingRead for a fact that was not read from one input."""
    if type(message) not in FOUND:
        raise domain.NothingRead(
            f"{message.DESCRIPTOR.name} was not read from one input: it is merged from what several sources say, or is "
            "of ingest's own making"
        )
    return str(message.geojson_sha256 if isinstance(message, pb.AirspaceRecorded) else message.input_sha256)


def nearest(message: Any, read: Reading, delivery: Delivery) -> list[Field]:
    """Fields beside those of the fact that differs least, of all that are found; beside none of them: an empty one."""
    found = [codec.to_wire(event) for event in FOUND[type(message)](message, read, delivery)]
    same = [one for one in found if type(one) is type(message)] or [type(message)()]
    return min((recomputed.fields(message, one, NAMES, LEFT_OUT) for one in same), key=differing)


def differing(fields: Iterable[Field]) -> int:
    return sum(not one.identical for one in fields)


def _sets(message: pb.ElementSetAccepted, read: Reading, delivery: Delivery) -> list[Event]:
    return [
        domain.ElementSetAccepted(one, delivery.source, delivery.input_sha256)
        for one in read.sets
        if one.catalogue_number == message.catalogue_number
    ]


def _messages(message: Any, read: Reading, delivery: Delivery) -> list[Event]:
    """The number of an object that is named by designator alone is that of the fact."""
    numbers = {offer.designator: message.catalogue_number for offer in read.messages}
    resolved = (messages.resolved(offer, numbers, delivery) for offer in read.messages)
    return [fact for fact in resolved if fact is not None]


def _weather(message: Any, read: Reading, delivery: Delivery) -> list[Event]:
    """The days of the fact; what the input does not give of a day is as it was known before."""
    mjds = {day.mjd for day in message.days}
    known = {day.mjd: WeatherIndex(day.mjd, tuple(day.ap_3h), day.f107_observed_sfu) for day in message.days}
    indices = weather.merged_days((day for day in read.indices if day.mjd in mjds), known)
    observed = [day for day in (*read.observed, *weather.whole_days(indices)) if day.mjd in mjds]
    predicted = [day for day in read.predicted if day.mjd in mjds]
    source, sha256 = delivery.source, delivery.input_sha256
    return [
        domain.SpaceWeatherIndicesRecorded(source, tuple(changed(indices, {})), sha256),
        domain.SpaceWeatherRecorded(source, tuple(changed(observed, {})), sha256),
        domain.SpaceWeatherForecastRecorded(source, tuple(changed(predicted, {})), sha256),
    ]


def _orientation(message: pb.EarthOrientationRecorded, read: Reading, delivery: Delivery) -> list[Event]:
    mjds = {day.mjd for day in message.days}
    days = changed((day for day in read.orientation if day.mjd in mjds), {})
    return [domain.EarthOrientationRecorded(delivery.source, tuple(days), delivery.input_sha256)]


def _airspace(_message: pb.AirspaceRecorded, read: Reading, delivery: Delivery) -> list[Event]:
    offer = airspace.OfferAirspace(read.feature_count, read.invalid_features, read.notice, delivery)
    return airspace.decide_airspace(offer, "")


def _traffic(_message: pb.TrafficDensityRecorded, read: Reading, delivery: Delivery) -> list[Event]:
    if read.traffic is None:
        return []
    offer = traffic.OfferTraffic(read.traffic, read.invalid_features, read.notice, delivery)
    return [*traffic.decide_traffic(offer, "")]


FOUND: dict[type[Message], Callable[[Any, Reading, Delivery], list[Event]]] = {
    pb.ElementSetAccepted: _sets,
    pb.ThirdPartyPredictionRecorded: _messages,
    pb.EphemerisRecorded: _messages,
    pb.ConjunctionRecorded: _messages,
    pb.SpaceWeatherRecorded: _weather,
    pb.SpaceWeatherForecastRecorded: _weather,
    pb.SpaceWeatherIndicesRecorded: _weather,
    pb.EarthOrientationRecorded: _orientation,
    pb.AirspaceRecorded: _airspace,
    pb.TrafficDensityRecorded: _traffic,
}

"""What several sources say of one object becomes one description."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest import codec_objects, objects, reading
from services.ingest.description import (
    FIELDS,
    Basis,
    DecayTime,
    Description,
    ObjectType,
    Origin,
    Statement,
    known_fields,
)
from services.ingest.domain import (
    AlreadyRetired,
    BadEdit,
    Delivery,
    Format,
    ObjectCatalogued,
    ObjectDecayed,
    ObjectExists,
    ObjectRetired,
    ObjectRevised,
    StaleEtag,
    UnknownObject,
)
from services.ingest.objects import NOTHING, PRECEDENCE, Create, Known, Retire, Update
from services.ingest.tests import rows

NOON = datetime(2022, 11, 5, 12, tzinfo=UTC)
ROWS = {
    "space-track": (rows.as_json(rows.SATCAT_ROW), Format.SATCAT),
    "space-track-csv": (rows.as_csv(rows.SATCAT_ROW), Format.SATCAT),
    "celestrak": (rows.as_json(rows.CELESTRAK_ROW), Format.SATCAT),
    "celestrak-csv": (rows.as_csv(rows.CELESTRAK_ROW), Format.SATCAT),
    "decay": (rows.as_json(rows.DECAY_ROW), Format.DECAY),
    "decay-csv": (rows.as_csv(rows.DECAY_ROW), Format.DECAY),
    "discos": (rows.discos(), Format.DISCOS),
}


def delivered(source: str, hours: float = 0.0) -> Delivery:
    return Delivery(source, "0" * 64, NOON + timedelta(hours=hours), None, redistribution="public")


def after(said: list[tuple[Statement, Delivery]], known: Known = NOTHING) -> Known:
    for statement, delivery in said:
        for event in objects.decide_statement(statement, known, delivery):
            known = objects.evolve(known, event)
    return known


def said(name: str, basis: Basis = Basis.ELEMENT_SET, **fields) -> Statement:
    return Statement(5, Description(object_name=name.encode(), **fields), basis)


@pytest.mark.parametrize("name", ROWS)
def test_rows_are_recognised_by_their_keys_and_read(name):
    data, found = ROWS[name]
    read = reading.read(Format.UNKNOWN, data)
    assert (read.format, read.refusals) == (found, ())
    (statement,) = read.statements
    assert statement.catalogue_number == 54217
    assert statement.description.international_designator == b"2022-143B"


@pytest.mark.parametrize("source", ["space-track", "celestrak", "decay"])
def test_json_and_csv_state_the_same(source):
    one, other = (reading.read(Format.UNKNOWN, ROWS[key][0]).statements for key in (source, f"{source}-csv"))
    assert one == other


def test_discos_states_mass_shape_and_areas_and_its_id_is_not_the_number():
    (statement,) = reading.read(Format.UNKNOWN, rows.discos()).statements
    described = statement.description
    assert (statement.catalogue_number, described.discos_id) == (54217, "80001")
    assert (described.mass_kg, described.shape, described.cross_section_mean_m2) == (20000.5, "Cyl", 140.25)
    assert (described.width_m, described.type, described.launch_mjd) == (None, ObjectType.ROCKET_BODY, 59883)


def test_a_decay_day_is_good_for_half_a_day_and_a_time_for_a_minute():
    times = [reading.read(Format.UNKNOWN, ROWS[name][0]).statements[0].decay for name in ("space-track", "decay")]
    assert times[0] == DecayTime(2459887.5, 0.5, 720.0)
    assert (times[1].jd, times[1].tolerance_min) == (2459887.5, 1.0)
    assert times[1].jd_fraction * 1440.0 == pytest.approx(10 * 60 + 1, abs=1e-6)  # 10:01 in minutes, to rounding


def test_a_predicted_decay_is_not_a_decay():
    (statement,) = reading.read(Format.UNKNOWN, rows.as_json(rows.DECAY_ROW, MSG_TYPE="Prediction")).statements
    assert statement.decay is None


def test_a_row_out_of_range_is_refused_with_its_place():
    read = reading.read(Format.UNKNOWN, rows.as_csv(rows.SATCAT_ROW, INCLINATION="181"))
    (refusal,) = read.refusals
    assert (refusal.line, read.statements) == (2, ())
    assert refusal.column > 1
    assert b"181" in refusal.raw


def test_every_field_has_its_precedence_and_every_precedence_all_bases():
    assert tuple(PRECEDENCE) == FIELDS
    assert all(set(order) == set(Basis) for order in PRECEDENCE.values())


@pytest.mark.parametrize(
    ("higher", "lower"),
    list(pairwise([Basis.SPACE_TRACK_SATCAT, Basis.CELESTRAK_SATCAT, Basis.DISCOS, Basis.ELEMENT_SET])),
)
def test_a_name_is_that_of_the_higher_source_whichever_came_first(higher, lower):
    first, second = (said("higher", higher), delivered("h")), (said("lower", lower), delivered("l", 48))
    assert after([first, second]).description.object_name == b"higher"
    assert after([second, first]).description.object_name == b"higher"


def test_mass_is_that_of_discos():
    weighed = Statement(5, Description(mass_kg=900.0), Basis.DISCOS)
    known = after([(weighed, delivered("discos")), (said("x", Basis.SPACE_TRACK_SATCAT), delivered("space-track"))])
    assert (known.description.mass_kg, known.description.object_name) == (900.0, b"x")
    assert known.origins["mass_kg"].source == "discos"


def test_the_newer_word_of_one_source_holds():
    assert after([(said("new"), delivered("a", 2)), (said("old"), delivered("a"))]).description.object_name == b"new"


def test_what_is_known_already_is_no_fact():
    known = after([(said("x"), delivered("a"))])
    assert objects.decide_statement(said("x"), known, delivered("a", 24)) == []
    assert objects.decide_statement(Statement(5, Description(), Basis.ELEMENT_SET), known, delivered("b")) == []


def statements_of(source: str, basis: Basis):
    """What a source delivers in time, each value once: then the newest is known whatever is heard first."""
    names = st.lists(st.sampled_from([b"", b"A", b"B", b"C"]), max_size=3, unique=True)
    masses = st.lists(st.sampled_from([None, 1.0, 2.0, 3.0]), max_size=3, unique=True)
    decays = st.lists(st.sampled_from([None, 2459880.5, 2459887.5]), max_size=2, unique=True)

    def deliveries(values):
        count = max(map(len, values))
        name, mass, decay = (list(each) + [each[-1] if each else None] * (count - len(each)) for each in values)
        return [
            (
                Statement(
                    5,
                    Description(object_name=name[i] or b"", mass_kg=mass[i]),
                    basis,
                    decay=DecayTime(decay[i], 0.5, 720.0) if decay[i] else None,
                ),
                delivered(source, i),
            )
            for i in range(count)
        ]

    return st.tuples(names, masses, decays).map(deliveries)


DELIVERIES = st.tuples(
    statements_of("discos", Basis.DISCOS),
    statements_of("space-track", Basis.SPACE_TRACK_SATCAT),
    statements_of("celestrak", Basis.CELESTRAK_SATCAT),
    statements_of("mirror", Basis.CELESTRAK_SATCAT),
    statements_of("space-track", Basis.DECAY_ROW),
    statements_of("celestrak", Basis.ELEMENT_SET),
).map(lambda each: [delivery for source in each for delivery in source])


@given(DELIVERIES.flatmap(lambda each: st.tuples(st.just(each), st.permutations(each), st.permutations(each))))
@settings(max_examples=300, deadline=None)
def test_the_order_of_arrival_does_not_show(given_):
    """INVARIANT: the catalogue is a function of what sources said. Were it one of when a network was quick, a rebuilt
    or replayed mesh would weigh objects differently."""
    each, one, other = given_
    first, second = after(one), after([*other, *one[:2]])
    assert first.description == second.description
    assert whose(first) == whose(second)
    assert decay_of(first) == decay_of(second)
    assert after(each, first).version == first.version


def whose(known: Known):
    return {name: (origin.basis, origin.source) for name, origin in known.origins.items()}


def decay_of(known: Known):
    return known.decay and (known.decay.time, known.decay.origin.basis, known.decay.origin.source)


VALUES = {"object_name": st.binary(max_size=9), "mass_kg": st.floats(0.1, 1e6), "launch_mjd": st.integers(30000, 70000)}


@given(
    st.fixed_dictionaries({}, optional=VALUES),
    st.sampled_from(list(Basis)),
    st.sampled_from(list(codec_objects.CLASSES)),
)
def test_a_description_survives_the_wire(values, basis, held):
    described = Description(**values, type=ObjectType.DEBRIS)
    origin = Origin(basis, "s", NOON, held)
    event = ObjectRevised(5, described, dict.fromkeys(known_fields(described), origin), "s", "0" * 64)
    back = codec_objects.known_from_wire(codec_objects.to_wire(event), NOON)
    assert back == (event.description, event.origins)


def decay(day: float, basis: Basis, source: str, tolerance_min: float = 720.0):
    time = DecayTime(2459887.5 + day, 0.5, tolerance_min)
    return Statement(5, Description(), basis, decay=time), delivered(source)


def test_of_two_decays_the_one_of_the_decay_rows_holds():
    row, satcat = decay(0, Basis.DECAY_ROW, "st", 1.0), decay(9, Basis.SPACE_TRACK_SATCAT, "st")
    for order in ([row, satcat], [satcat, row]):
        assert after(order).decay.origin.basis is Basis.DECAY_ROW


@pytest.mark.parametrize(("days", "conflicts"), [(0.4, False), (0.6, True), (-3.0, True)])
def test_a_decay_is_a_contradiction_when_it_is_further_off_than_both_times_are_good_for(days, conflicts):
    known = after([decay(0, Basis.DECAY_ROW, "st", 1.0)])
    lower, _ = decay(days, Basis.CELESTRAK_SATCAT, "celestrak")
    assert bool(objects.decay_conflict(lower, known, "celestrak")) is conflicts


def edited(command, known: Known) -> Known:
    for event in objects.decide_edit(command, known):
        known = objects.evolve(known, event)
    return known


def update(version: int, *names: str, by="anna", hours=0.0, reason=b"weighed", **fields) -> Update:
    return Update(5, Description(**fields), names, version, by, NOON + timedelta(hours=hours), reason)


def test_an_edit_stands_above_every_source_and_the_last_edit_above_the_others():
    known = edited(update(1, "object_name", object_name=b"ours"), after([(said("x"), delivered("a"))]))
    known = edited(update(2, "object_name", by="zoe", hours=1, object_name=b"mine"), known)
    known = edited(update(3, "object_name", hours=2, object_name=b"ours again"), known)
    assert after([(said("y", basis), delivered("z", 99)) for basis in Basis][1:], known).description == (
        Description(object_name=b"ours again")
    )
    assert known.origins["object_name"].source == "operator/anna"


def test_a_field_emptied_by_a_person_stays_unknown():
    known = edited(update(1, "mass_kg"), after([(said("x", mass_kg=3.0), delivered("a"))]))
    assert after([(said("x", Basis.DISCOS, mass_kg=4.0), delivered("discos", 9))], known).description.mass_kg is None


CATALOGUED = after([(said("x"), delivered("a"))])
RETIRED = objects.evolve(CATALOGUED, ObjectRetired(5, b"gone", "operator/anna"))


@pytest.mark.parametrize(
    ("command", "known", "error"),
    [
        (update(1, "mass_kg", mass_kg=1.0), NOTHING, UnknownObject),
        (update(0, "mass_kg", mass_kg=1.0), CATALOGUED, StaleEtag),
        (update(2, "mass_kg", mass_kg=1.0), RETIRED, AlreadyRetired),
        (update(1, "mass_kg", mass_kg=-1.0), CATALOGUED, BadEdit),
        (update(1, "mass_kg", mass_kg=float("nan")), CATALOGUED, BadEdit),
        (update(1, "owner", owner="x" * 201), CATALOGUED, BadEdit),
        (update(1, "colour"), CATALOGUED, BadEdit),
        (update(1), CATALOGUED, BadEdit),
        (update(1, "owner", reason=b""), CATALOGUED, BadEdit),
        (Create(5, Description(), "anna", NOON, b"new"), CATALOGUED, ObjectExists),
        (Retire(5, 1, "anna", NOON, b"why"), RETIRED, StaleEtag),
        (Retire(5, 2, "anna", NOON, b"why"), RETIRED, AlreadyRetired),
    ],
)
def test_an_edit_out_of_order_is_refused_with_its_reason(command, known, error):
    with pytest.raises(error):
        objects.decide_edit(command, known)


def test_an_object_taken_out_can_be_entered_again_and_keeps_what_was_known():
    (event,) = objects.decide_edit(Create(5, Description(owner="PRC"), "anna", NOON, b"a mistake"), RETIRED)
    known = objects.evolve(RETIRED, event)
    assert isinstance(event, ObjectCatalogued)
    assert (known.retired, known.description) == (False, Description(object_name=b"x", owner="PRC"))


def test_numbers_of_nine_digits_are_numbers_like_any():
    statement = Statement(999_999_999, Description(object_name=b"far"), Basis.ELEMENT_SET)
    (event,) = objects.decide_statement(statement, NOTHING, delivered("a"))
    assert event.catalogue_number == 999_999_999


def test_a_decay_names_the_source_it_is_from():
    known = after([decay(0, Basis.DECAY_ROW, "space-track")])
    assert isinstance(known.decay, ObjectDecayed)
    assert known.decay.origin.source == "space-track"

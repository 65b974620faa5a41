"""AIXM 5.1.1 as states publish it; the airspace is invented."""

import json

import pytest

from libs import aixm
from libs.astro import airspace
from libs.astro.elements import RefusalReason

SQUARE = "<gml:GeodesicString><gml:posList>40 -5 40 -3 42 -3 42 -5 40 -5</gml:posList></gml:GeodesicString>"
CIRCLE = (
    "<gml:CircleByCenterPoint numArc='1'><gml:pointProperty><aixm:Point><gml:pos>40.0 -4.0</gml:pos></aixm:Point>"
    "</gml:pointProperty><gml:radius uom='[nmi_i]'>60</gml:radius></gml:CircleByCenterPoint>"
)
SECTOR = (
    "<gml:GeodesicString><gml:posList>40 -4 41 -4</gml:posList></gml:GeodesicString>"
    "<gml:ArcByCenterPoint numArc='1' interpolation='circularArcCenterPointWithRadius'><gml:pos>40 -4</gml:pos>"
    "<gml:radius uom='NM'>60</gml:radius><gml:startAngle uom='deg'>0</gml:startAngle>"
    "<gml:endAngle uom='deg'>90</gml:endAngle></gml:ArcByCenterPoint>"
)


def member(segments: str = SQUARE, ident: str = "LEXX", srs: str = "urn:ogc:def:crs:EPSG::4326", more: str = "") -> str:
    return (
        "<message:hasMember><aixm:Airspace gml:id='a'><aixm:timeSlice><aixm:AirspaceTimeSlice gml:id='t'>"
        f"<aixm:interpretation>BASELINE</aixm:interpretation><aixm:type>FIR</aixm:type>"
        f"<aixm:designator>{ident}</aixm:designator><aixm:name>XANADU</aixm:name>"
        "<aixm:geometryComponent><aixm:AirspaceGeometryComponent><aixm:operation>BASE</aixm:operation>"
        f"<aixm:theAirspaceVolume><aixm:AirspaceVolume><aixm:upperLimit uom='FL'>245</aixm:upperLimit>"
        f"<aixm:lowerLimit uom='FT'>GND</aixm:lowerLimit>{more}<aixm:horizontalProjection>"
        f"<aixm:Surface srsName='{srs}'><gml:patches><gml:PolygonPatch><gml:exterior><gml:Ring><gml:curveMember>"
        f"<gml:Curve><gml:segments>{segments}</gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior>"
        "</gml:PolygonPatch></gml:patches></aixm:Surface></aixm:horizontalProjection></aixm:AirspaceVolume>"
        "</aixm:theAirspaceVolume></aixm:AirspaceGeometryComponent></aixm:geometryComponent>"
        "</aixm:AirspaceTimeSlice></aixm:timeSlice></aixm:Airspace></message:hasMember>\n"
    )


def document(*members: str) -> bytes:
    head = (
        "<?xml version='1.0' encoding='UTF-8'?>\n<message:AIXMBasicMessage "
        "xmlns:message='http://www.aixm.aero/schema/5.1.1/message' xmlns:aixm='http://www.aixm.aero/schema/5.1.1' "
        "xmlns:gml='http://www.opengis.net/gml/3.2' xmlns:xlink='http://www.w3.org/1999/xlink'>\n"
    )
    return (head + "".join(members) + "</message:AIXMBasicMessage>").encode()


def test_an_airspace_becomes_the_polygon_that_geojson_gives():
    file = aixm.read(document(member()))
    assert (file.volume_count, file.rejections) == (1, [])
    (feature,) = json.loads(file.geojson)["features"]
    assert feature["geometry"]["coordinates"] == [[[-5, 40], [-3, 40], [-3, 42], [-5, 42], [-5, 40]]]
    (volume,) = airspace.load_geojson(file.geojson).volumes
    assert (volume.ident, volume.name, volume.kind) == ("LEXX", "XANADU", "FIR")
    assert (volume.lower_fl, volume.upper_fl) == (0.0, 245.0)


def test_longitude_comes_first_where_the_reference_system_says_so():
    swapped = SQUARE.replace("40 -5 40 -3 42 -3 42 -5 40 -5", "-5 40 -3 40 -3 42 -5 42 -5 40")
    plain = aixm.read(document(member()))
    assert aixm.read(document(member(swapped, srs="urn:ogc:def:crs:OGC:1.3:CRS84"))).geojson == plain.geojson


def test_a_circle_has_its_area_and_a_sector_a_quarter_of_it():
    """Of 60 NM, 111.12 km: pi r^2 is 38,791 km2; steps of 5 degrees leave out 0.13 % of it."""
    areas = [
        airspace.load_geojson(aixm.read(document(member(segments))).geojson).volumes[0].area_km2
        for segments in (CIRCLE, SECTOR)
    ]
    assert areas[0] == pytest.approx(38_791 * (1 - 0.0013), rel=5e-4)
    assert areas[1] == pytest.approx(areas[0] / 4, rel=2e-3)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member(SQUARE.replace("40 -5 40 -3", "40 -5 40")), RefusalReason.LENGTH),
        (member(SQUARE.replace("40 -5", "north -5", 1)), RefusalReason.CHARACTER),
        (member(SQUARE.replace("42 -3", "NaN -3")), RefusalReason.NOT_FINITE),
        (member(SQUARE.replace("42 -3", "99 -3")), RefusalReason.RANGE),
        (member(srs="urn:ogc:def:crs:EPSG::3857"), RefusalReason.MISMATCH),
        (member("<gml:ArcString><gml:posList>40 -5 41 -4 40 -3</gml:posList></gml:ArcString>"), RefusalReason.GEOMETRY),
        (member(more="<aixm:contributorAirspace/>"), RefusalReason.GEOMETRY),
        (member().replace(">BASE<", ">SUBTR<"), RefusalReason.GEOMETRY),
        (member().replace("BASELINE", "TEMPDELTA"), RefusalReason.MISMATCH),
        (member(ident=""), RefusalReason.MISSING),
        (member(""), RefusalReason.GEOMETRY),
        (member().replace("<gml:curveMember>", "<gml:curveMember xlink:href='#border'>"), RefusalReason.MISSING),
        (member(CIRCLE.replace("60", "0")), RefusalReason.RANGE),
        (member(CIRCLE.replace("[nmi_i]", "furlong")), RefusalReason.RANGE),
    ],
)
def test_what_is_not_drawn_out_is_refused_with_its_place_and_the_rest_is_taken(bad, reason):
    file = aixm.read(document(member(ident="AAAA"), bad, member(ident="BBBB")))
    assert file.volume_count == 2
    assert [refused.reason for refused in file.rejections] == [reason], file.rejections
    assert all(refused.line == 4 and refused.column > 0 and refused.raw for refused in file.rejections)


@pytest.mark.parametrize(
    "data",
    [b"<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", b"<x/>", b"<", b"", document(member())[:-40],
     document("<aixm:a>" * 70 + "</aixm:a>" * 70), document("<?php ?>")],
)  # fmt: skip
def test_what_is_no_such_document_is_refused(data):
    file = aixm.read(data)
    assert file.volume_count == 0
    assert [refused.reason for refused in file.rejections] == [RefusalReason.UNREADABLE]

"""One good file of every format that the gate reads, and the values in it that it takes."""

import json
from datetime import UTC, datetime

from libs.astro.tests import test_eop_rows
from libs.ccsds.tests import omm_record, test_oem
from libs.ccsds.tests.message_rows import CDM, RDM, as_kvn, as_xml
from libs.ccsds.tests.test_fuzz import DISCOS
from libs.providers.tests import test_swpc, test_traffic
from libs.providers.tests.test_providers import CELESTRAK, DECAY, SATCAT, TIP, as_csv, as_json
from libs.tests import test_aixm
from services.ingest.domain import Format
from services.ingest.tests import cases

WEATHER_CSV = (
    b"DATE,BSRN,ND,KP1,KP2,KP3,KP4,KP5,KP6,KP7,KP8,KP_SUM,AP1,AP2,AP3,AP4,AP5,AP6,AP7,AP8,AP_AVG,CP,C9,ISN,"
    b"F10.7_OBS,F10.7_ADJ,F10.7_DATA_TYPE,F10.7_OBS_CENTER81,F10.7_OBS_LAST81,F10.7_ADJ_CENTER81,F10.7_ADJ_LAST81\r\n"
    b"2018-04-01,2519,12,13,10,10,13,10,13,10,10,87,5,4,4,5,4,5,4,4,4,0.1,0,8,69.0,68.9,OBS,70,70,70,70\r\n"
    b"2018-04-02,2519,13,13,10,10,13,10,13,10,10,87,5,4,4,5,4,5,4,4,4,0.1,0,8,68.4,68.3,OBS,70,70,70,70\r\n"
)
_PLANETARY = test_swpc.planetary("2026-05-13", 0.33, 0.67, 1.67, 2.67, 3.33, 4.67, 5.67, 6.33)
_FORECAST = test_swpc.forecast(("2026-05-13", "ap", 12.5), ("2026-05-13", "f107", 148.5))


def _json(document: object) -> bytes:
    return json.dumps(document, indent=0).encode()


GOOD: dict[str, tuple[Format, bytes, tuple[bytes, ...]]] = {  # the file, and texts of it that are values taken
    "tle": (Format.TLE, cases.FIRST.encode(), (b"07.45026", b".0430649", b"57383-3", b"41.4743", b"0062797")),
    "omm json": (Format.OMM_JSON, omm_record.as_json(), (b"0.0049889", b"16.33819495", b"41.4725", b"86.2946")),
    "omm csv": (Format.OMM_CSV, omm_record.as_csv(), (b"0.0049889", b"16.33819495", b"41.4725", b"86.2946")),
    "omm kvn": (Format.OMM_KVN, omm_record.as_kvn(), (b"0.0049889", b"16.33819495", b"41.4725", b"86.2946")),
    "omm xml": (Format.OMM_XML, omm_record.as_xml(), (b"0.0049889", b"16.33819495", b"41.4725", b"86.2946")),
    "oem kvn": (Format.OEM, test_oem.written("kvn"), (b"0.25", b"0.001", b"-0.002")),
    "oem xml": (Format.OEM, test_oem.written("xml"), (b">0.25<", b">0.001<", b">-0.002<")),
    "rdm kvn": (Format.RDM, as_kvn("RDM", "1.0", RDM), (b"1.4175", b"80.0", b"2022-11-04T07:12:00")),
    "rdm xml": (Format.RDM, as_xml("RDM", "1.0", RDM), (b"1.4175", b"80.0", b"2022-11-04T07:12:00")),
    "cdm kvn": (Format.CDM, as_kvn("CDM", "1.0", CDM), (b"0.25", b"-1.5E-03")),
    "cdm xml": (Format.CDM, as_xml("CDM", "1.0", CDM), (b"0.25", b"-1.5E-03")),
    "tip json": (Format.TIP, as_json(TIP), (b"02:04:00", b'"60"', b"41.6", b"350.7", b"2021-05-08 20:00:00")),
    "tip csv": (Format.TIP, as_csv(TIP), (b"02:04:00", b'"60"', b"41.6", b"350.7", b"2021-05-08 20:00:00")),
    "cssi": (
        Format.CSSI, cases.cssi(datetime(2022, 11, 1, tzinfo=UTC).date(), 1), (b"2022 11 01", b"   7   7"),
    ),
    "weather csv": (Format.WEATHER_CSV, WEATHER_CSV, (b"2018-04-01", b"69.0", b"OBS,", b"5,4,4,5")),
    "swpc flux": (Format.SWPC, _json([test_swpc.flux("2026-05-13")]), (b"125.0", b"2800", b"2026-05-13T20:00:00")),
    "swpc k": (Format.SWPC, _json(_PLANETARY), (b"2.67", b"6.33", b"2026-05-13T09:00:00")),
    "swpc forecast": (Format.SWPC, _json(_FORECAST), (b"12.5", b"148.5", b"2026-05-13T00:00:00Z")),
    "finals2000A": (
        Format.ORIENTATION, test_eop_rows.LINES, (b"73 1 3 41685.00", b" 0.118980", b" 0.135656", b" 0.8056163"),
    ),
    "traffic csv": (Format.TRAFFIC_CSV, test_traffic.CSV, (b"290,330", b"2.5", test_traffic.CELL.encode())),
    "traffic geojson": (
        Format.TRAFFIC_GEOJSON, test_traffic.collection(test_traffic.square(0), test_traffic.square(5)),
        (b"290", b"2.5", b'"Polygon"'),
    ),
    "airspace geojson": (Format.AIRSPACE, cases.airspace("LECM"), (b"LECM",)),
    "decay json": (Format.DECAY, as_json(DECAY), (b'"4917"', b"2019-03-23 0:00:00", b'"Prediction"')),
    "decay csv": (Format.DECAY, as_csv(DECAY), (b'"4917"', b"2019-03-23 0:00:00", b'"Prediction"')),
    "satcat json": (Format.SATCAT, as_json(SATCAT), (b'"54217"', b"2022-10-31", b"2022-11-04", b'"ROCKET BODY"')),
    "satcat csv": (Format.SATCAT, CELESTRAK, (b"54217,", b"2022-10-31", b"2022-11-04", b"R/B,D")),
    "discos": (Format.DISCOS, DISCOS, (b"54217,", b"21600.0", b"2022-10-31")),
    "aixm": (Format.AIXM, test_aixm.document(test_aixm.member()), (b"40 -5 40 -3", b"BASELINE", b">BASE<")),
}  # fmt: skip

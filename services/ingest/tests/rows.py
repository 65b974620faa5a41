"""Catalogue rows of CZ-5B 2022-143B as its sources write them; values of DISCOS invented."""

import json
from typing import Any

SATCAT_ROW = {
    "NORAD_CAT_ID": "54217", "OBJECT_NUMBER": "54217", "INTLDES": "2022-143B", "OBJECT_TYPE": "ROCKET BODY",
    "SATNAME": "CZ-5B R/B", "COUNTRY": "PRC", "LAUNCH": "2022-10-31", "SITE": "WSC", "DECAY": "2022-11-04",
    "PERIOD": "88.16", "INCLINATION": "41.47", "APOGEE": "246", "PERIGEE": "160", "RCSVALUE": "0", "RCS_SIZE": "LARGE",
}  # fmt: skip
DECAY_ROW = {
    "NORAD_CAT_ID": "54217", "OBJECT_NUMBER": "54217", "OBJECT_NAME": "CZ-5B R/B", "INTLDES": "2022-143B",
    "OBJECT_ID": "2022-143B", "RCS": "0", "RCS_SIZE": "LARGE", "COUNTRY": "PRC", "MSG_EPOCH": "2022-11-04 12:31:00",
    "DECAY_EPOCH": "2022-11-04 10:01:00", "SOURCE": "decay_msg", "MSG_TYPE": "Historical", "PRECEDENCE": "2",
}  # fmt: skip
CELESTRAK_ROW = {
    "OBJECT_NAME": "CZ-5B R/B", "OBJECT_ID": "2022-143B", "NORAD_CAT_ID": 54217, "OBJECT_TYPE": "R/B",
    "OPS_STATUS_CODE": "D", "OWNER": "PRC", "LAUNCH_DATE": "2022-10-31", "LAUNCH_SITE": "WSC",
    "DECAY_DATE": "2022-11-04", "PERIOD": 88.16, "INCLINATION": 41.47, "APOGEE": 246, "PERIGEE": 160, "RCS": 25.5,
    "DATA_STATUS_CODE": "", "ORBIT_CENTER": "EA", "ORBIT_TYPE": "IMP",
}  # fmt: skip
DISCOS_ATTRIBUTES = {
    "cosparId": "2022-143B", "vimpelId": None, "satno": 54217, "name": "CZ-5B second stage", "objectClass":
    "Rocket Body", "mass": 20000.5, "shape": "Cyl", "width": None, "height": 33.25, "depth": None, "diameter": 5.0,
    "span": 33.25, "xSectMax": 168.5, "xSectMin": 19.625, "xSectAvg": 140.25, "firstEpoch": "2022-10-31",
    "predDecayDate": None, "active": None,
}  # fmt: skip


def as_json(row: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps([row | changed]).encode()


def as_csv(row: dict[str, Any], **changed: Any) -> bytes:
    said = row | changed
    return (",".join(said) + "\r\n" + ",".join(str(value) for value in said.values()) + "\r\n").encode()


def discos(discos_id: str = "80001", **changed: Any) -> bytes:
    resource = {"type": "object", "id": discos_id, "attributes": DISCOS_ATTRIBUTES | changed, "relationships": {}}
    return json.dumps({"data": [resource], "links": {}}).encode()

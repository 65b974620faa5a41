"""Inputs of the tests; the element sets are those of CZ-5B 2022-143B, typed."""

import json
from datetime import date, timedelta


def checksummed(line: str) -> str:
    return line + str(sum(int(c) if c.isdigit() else c == "-" for c in line) % 10)


FIRST = (
    "1 54217U 22143B   22307.45026049  .04306496  77106-5  57383-3 0  9992\n"
    "2 54217  41.4743  88.8611 0062797 197.7556 206.2843 16.28127082   504\n"
)
SECOND = (
    "1 54217U 22143B   22307.83202162  .07541702  75736-5  53797-3 0  9992\n"
    "2 54217  41.4725  86.2946 0049889 204.7631 283.9192 16.33819495   564\n"
)
NAMED = "CZ-5B R/B\n" + SECOND
BAD_CHECKSUM = FIRST.replace("9992\n", "9993\n")
WRONG_DIGIT = "1 54217U 22143B   22307.83202163  .07541702  75736-5  53797-3 0  9992\n" + SECOND.splitlines()[1] + "\n"


def renumbered(pair: str, number: int) -> str:
    one, two = pair.splitlines()
    return "\n".join(checksummed(f"{line[:2]}{number:05d}{line[7:68]}") for line in (one, two)) + "\n"


def cssi(first: date, days: int, ap: int = 7, flux: float = 130.0) -> bytes:
    rows = [_cssi_row(first + timedelta(days=i), ap, flux) for i in range(days)]
    head = f"DATATYPE CssiSpaceWeather\nVERSION 1.2\nUPDATED 2022 Nov 05 00:00:00 UTC\nNUM_OBSERVED_POINTS {days}\n"
    return (head + "BEGIN OBSERVED\n" + "\n".join(rows) + "\nEND OBSERVED\n").encode()


def _cssi_row(day: date, ap: int, flux: float) -> str:
    kp = "".join(f"{20:3d}" for _ in range(8))
    aps = "".join(f"{ap:4d}" for _ in range(8))
    bartels = (day - date(1832, 2, 8)).days
    return (
        f"{day:%Y %m %d} {bartels // 27 + 1:4d} {bartels % 27 + 1:2d}{kp}{160:4d}{aps}{ap:4d}"
        f" 0.4 2 100 {flux:5.1f} 0 {flux:5.1f} {flux:5.1f} {flux:5.1f} {flux:5.1f} {flux:5.1f}"
    )


def airspace(*idents: str) -> bytes:
    features = [
        {
            "type": "Feature",
            "properties": {"ident": ident, "name": f"{ident} FIR"},
            "geometry": {"type": "Polygon", "coordinates": [[[i, 0], [i + 1, 0], [i + 1, 1], [i, 1], [i, 0]]]},
        }
        for i, ident in enumerate(idents)
    ]
    collection = {"type": "FeatureCollection", "notice": "demonstration, not for operations", "features": features}
    return json.dumps(collection).encode()

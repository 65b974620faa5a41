"""Writes iau2006.json from the C sources of ERFA: `python make_iau2006.py <folder with xy06.c and s06.c>`.

The folder is liberfa/erfa/src of the source distribution of pyerfa 2.0.1.5.
"""

import json
import re
import sys
from pathlib import Path

ORIGIN = (
    "Series of the celestial intermediate pole X, Y and of s + XY/2, IAU 2006/2000A (N. Capitaine, P. T. Wallace, "
    "J. Chapront, Astron. Astrophys. 412, 567, 2003; IERS Conventions 2010, tables 5.2a, 5.2b, 5.2d). The numbers were "
    "taken from xy06.c and s06.c of ERFA, whose notice follows."
)
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
S_COLUMNS = (0, 1, 2, 3, 4, 6, 7, 13)  # l l' F D node, Venus, Earth, precession among the 14 arguments


def body(source: str, start: str) -> list[str]:
    """The numbers between `start` and the end of its initialiser, comments left out."""
    text = source[source.index(start) + len(start) :].split("};", maxsplit=1)[0]
    return NUMBER.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


def rows(numbers: list[str], width: int) -> list[list[int]]:
    return [[int(one) for one in numbers[i : i + width]] for i in range(0, len(numbers), width)]


def pole(source: str) -> tuple[list[list[int]], list[list[float]], list[list[float]]]:
    luni_solar = [[*row, *[0] * 9] for row in rows(body(source, "mfals[][5] = {"), 5)]
    frequencies = luni_solar + rows(body(source, "mfapl[][14] = {"), 14)
    first = [int(one) - 1 for one in body(source, "nc[] = {")]
    values = [float(one) for one in body(source, "a[] = {")]
    kinds = [[int(one) for one in body(source, name)] for name in ("jaxy[] = {", "jasc[] = {", "japt[] = {")]
    amplitudes: list[list[float]] = []
    for k, start in enumerate(first):
        end = first[k + 1] if k + 1 < len(first) else len(values)
        amplitudes += [[k, *(kind[i] for kind in kinds), values[start + i]] for i in range(end - start)]
    polynomials = [float(one) for one in body(source, "xyp[2][MAXPT+1] = {")]
    return frequencies, amplitudes, [polynomials[:6], polynomials[6:]]


def locator(source: str, known: list[list[int]]) -> tuple[list[list[int]], list[list[float]], list[float]]:
    frequencies, amplitudes = [list(row) for row in known], []
    for power in range(5):
        numbers = body(source, f"TERM s{power}[] = {{")
        for i in range(0, len(numbers), 10):
            row = [0] * 14
            for column, one in zip(S_COLUMNS, numbers[i : i + 8], strict=True):
                row[column] = int(one)
            if row not in frequencies:
                frequencies.append(row)
            at = frequencies.index(row)
            for cosine in (0, 1):
                value = round(float(numbers[i + 8 + cosine]) * 1e6, 6)
                amplitudes += [[at, 2, cosine, power, value]] if value else []
    return frequencies, amplitudes, [float(one) for one in body(source, "sp[] = {")]


def main(folder: Path) -> None:
    xy, s = (folder / "xy06.c").read_text(), (folder / "s06.c").read_text()
    frequencies, amplitudes, polynomials = pole(xy)
    frequencies, more, s_polynomial = locator(s, frequencies)
    notice = xy[xy.rindex("/*---") :].replace("**", "").replace("/*", "").replace("*/", "")
    document = {
        "origin": ORIGIN,
        "notice": " ".join(notice.strip("/*- \n").split()),
        "units": "amplitudes in microarcseconds, polynomials in arcseconds by powers of Julian centuries TT",
        "polynomials": [*polynomials, s_polynomial],
        "frequencies": frequencies,
        "amplitudes": amplitudes + more,
    }
    text = json.dumps(document, separators=(",", ":"))
    Path(__file__).with_name("iau2006.json").write_text(text.replace("],[", "],\n[") + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

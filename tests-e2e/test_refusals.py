"""Bad input: each refused with its reason over RPC and command, recorded where it came from outside."""

import json

import pytest

pytestmark = pytest.mark.xdist_group("played")

GOOD = (
    "1 54217U 22143B   22307.83202162  .07541702  75736-5  53797-3 0  9992\n"
    "2 54217  41.4725  86.2946 0049889 204.7631 283.9192 16.33819495   564\n"
)


def changed(number: int, *, mean_motion: str = "") -> str:
    """The set under another number, and perhaps in another orbit, its checksums made right again."""
    first, second = GOOD.splitlines()
    lines = [f"{line[:2]}{number:05d}{line[7:]}" for line in (first, second)]
    if mean_motion:
        lines[0] = lines[0][:33] + " .00000100" + lines[0][43:]
        lines[1] = lines[1][:52] + mean_motion + lines[1][63:]
    return "".join(f"{line[:68]}{sum(int(c) if c.isdigit() else c == '-' for c in line[:68]) % 10}\n" for line in lines)


def refused(mesh, *arguments: str) -> str:
    done = mesh.run(*arguments)
    assert done.returncode == 1, f"{arguments}: {done.returncode} {done.stdout} {done.stderr}"
    return done.stderr


def test_a_file_that_is_not_there(mesh):
    assert "cannot be read" in refused(mesh, "ingest", "/nowhere/at-all")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\xff\x00 nothing of use", "none of the formats"),
        ((GOOD[:68] + "3" + GOOD[69:]).encode(), "checksum"),
        (GOOD.replace("41.4725", "41.4x25").encode(), "columns 9-16"),
        (
            (
                b'[{"OBJECT_ID":"2022-143B","EPOCH":"2022-11-03T19:58:06.667968","MEAN_MOTION":NaN,"ECCENTRICITY":0.004,'
                b'"INCLINATION":41.4,"RA_OF_ASC_NODE":86.2,"ARG_OF_PERICENTER":204.7,"MEAN_ANOMALY":283.9,'
                b'"NORAD_CAT_ID":54217,"ELEMENT_SET_NO":999,"REV_AT_EPOCH":56,"BSTAR":0.0005,"MEAN_MOTION_DOT":0.07,'
                b'"MEAN_MOTION_DDOT":0.0}]'
            ),
            "not a finite number",
        ),
    ],
    ids=["unreadable", "wrong checksum", "wrong column", "not a number"],
)
def test_input_that_is_not_in_order_is_refused_with_its_place_and_recorded(mesh, tmp_path, content, said):
    file = tmp_path / "input"
    file.write_bytes(content)
    done = mesh.run("--json", "ingest", str(file), "--source", "refusals")
    assert done.returncode == 1
    (answer,) = json.loads(done.stdout)
    (rejection,) = answer["rejections"]
    assert said in rejection["detail"]
    lines = mesh.run("--json", "events", "tail", "ingest", "--stream", "rejected/refusals").stdout.splitlines()
    assert rejection["detail"] in {json.loads(line)["message"]["detail"] for line in lines}


def test_an_object_nobody_knows(mesh):
    assert "no element set of object 777 is known" in refused(mesh, "predict", "777")
    assert "not in the catalogue" in refused(mesh, "objects", "777")
    assert "was not assessed" in refused(mesh, "hazard", "777")
    assert "no alert" in refused(mesh, "ack", "777/1/XXXX")


def test_an_object_too_high_to_predict(mesh, played, tmp_path):
    file = tmp_path / "high.tle"
    file.write_text(changed(71001, mean_motion="14.20000000"))
    mesh.spacecom("ingest", str(file), "--source", "high")
    said = refused(mesh, "predict", "71001")
    assert "71001" in said or "days" in said
    lines = mesh.run("--json", "events", "tail", "propagation", "--stream", "decay/71001").stdout.splitlines()
    assert json.loads(lines[-1])["message"]["reason"] == "DECLINE_REASON_TOO_HIGH"


def test_no_space_weather_for_the_date(mesh, tmp_path):
    old = changed(71002).replace(" 22307.", " 99307.")
    file = tmp_path / "old.tle"
    file.write_text(
        "".join(
            f"{line[:68]}{sum(int(c) if c.isdigit() else c == '-' for c in line[:68]) % 10}\n"
            for line in old.splitlines()
        )
    )
    mesh.spacecom("ingest", str(file), "--source", "old")
    assert "weather" in refused(mesh, "predict", "71002")
    lines = mesh.run("--json", "events", "tail", "propagation", "--stream", "decay/71002").stdout.splitlines()
    assert json.loads(lines[-1])["message"]["reason"] == "DECLINE_REASON_NO_SPACE_WEATHER"


def test_a_service_that_does_not_exist_and_a_mesh_that_is_not_up(mesh, tmp_path, monkeypatch):
    assert "there is no service" in refused(mesh, "parked", "nothing")
    absent = type(mesh)(tmp_path, mesh.process)
    done = absent.run("objects")
    assert (done.returncode, "make up" in done.stderr) == (3, True)
    assert absent.run("doctor").returncode == 4


def test_wrong_usage(mesh):
    assert mesh.run("predict", "not-a-number").returncode == 2

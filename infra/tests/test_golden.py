import json
import shutil

from infra import golden

NAME = "spacecom.alerting.v1.EventStateChanged.json"


def test_a_golden_fact_gets_its_bytes_once(tmp_path):
    path = tmp_path / NAME
    shutil.copy(golden.FOLDER / NAME, path)
    whole = path.read_text()
    path.write_text(json.dumps({"message": json.loads(whole)["message"]}))
    assert golden.main(tmp_path) == 0
    assert path.read_text() == whole


def test_one_that_has_its_bytes_is_never_touched(tmp_path):
    path = tmp_path / NAME
    path.write_text('{"message": {}, "wire": "00"}')
    golden.main(tmp_path)
    assert path.read_text() == '{"message": {}, "wire": "00"}'

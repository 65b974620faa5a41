"""What an image holds of the checkout suffices to start it, and is no more than that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.licences import IMAGES

CHECKOUT = Path(__file__).parents[2]
STARTED = {"jobs": "infra.migrate, infra.declare"}


@pytest.fixture(params=IMAGES)
def image(request, tmp_path) -> tuple[str, Path]:
    gather = CHECKOUT / "infra/docker/gather.sh"
    subprocess.run(["sh", gather, request.param, CHECKOUT, tmp_path / "app"], check=True)
    return request.param, tmp_path / "app"


def test_all_that_it_imports_is_there(image):
    name, app = image
    modules = STARTED.get(name, f"services.{name}.__main__, infra.probe")
    done = subprocess.run(
        [sys.executable, "-c", f"import {modules}, libs; print(libs.__file__)"],
        env=os.environ | {"PYTHONPATH": str(app)},
        cwd=app,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(app))


def test_it_holds_no_other_service_and_no_test(image):
    name, app = image
    code = {path.parent.name for path in app.glob("services/*/*.py")}
    assert code == (set() if name == "jobs" else {name})
    assert not list(app.rglob("tests"))


def test_a_service_that_does_not_exist_makes_no_image(tmp_path):
    gather = CHECKOUT / "infra/docker/gather.sh"
    done = subprocess.run(["sh", gather, "nothing", CHECKOUT, tmp_path / "app"], check=False)
    assert done.returncode != 0

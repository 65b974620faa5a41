"""Logs, spans and traces of a process of its own: telemetry is set up once in the life of a process."""

import json
import subprocess
import sys
import textwrap

import pytest

from libs import telemetry
from libs.telemetry import TelemetrySettings

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PROGRAM = textwrap.dedent(
    f"""
    import logging, sys
    from libs import telemetry
    from libs.telemetry import TelemetrySettings

    stop = telemetry.setup("toy", TelemetrySettings(traces_file=sys.argv[1], log_level="info"))
    telemetry.log.info("before", answer=42)
    with telemetry.span("outer", parent="00-{TRACE}-{PARENT}-01", consumer="x"):
        telemetry.log.warning("inside")
        logging.getLogger("foreign").warning("of a library: %s", "\\x1b[31m\\nsecond line")
        with telemetry.span("inner", count=2, good=True):
            print(telemetry.current_traceparent())
    try:
        raise ValueError("why")
    except ValueError:
        telemetry.log.exception("failed")
    telemetry.log.debug("unheard")
    stop()
    """
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """What the program wrote: its standard output, its log lines, its spans."""
    file = tmp_path_factory.mktemp("telemetry") / "traces.jsonl"
    done = subprocess.run([sys.executable, "-c", PROGRAM, file], capture_output=True, text=True, check=True)
    spans = {span["name"]: span for span in map(json.loads, file.read_text().splitlines())}
    return done.stdout.strip(), [json.loads(line) for line in done.stderr.splitlines()], spans


def test_every_line_of_the_log_is_one_json_document_with_service_time_and_level(ran):
    _, lines, _ = ran
    assert [line["event"] for line in lines] == ["before", "inside", lines[2]["event"], "failed"]
    assert lines[2]["event"].startswith("of a library")
    assert all(line["timestamp"].endswith("Z") and line["level"] for line in lines)
    assert [line.get("service") for line in lines] == ["toy"] * 4
    assert lines[0]["answer"] == 42
    assert "ValueError: why" in lines[3]["exception"]


def test_a_line_written_in_a_trace_carries_its_id(ran):
    """INVARIANT: whoever reads a log line finds the trace, and the other way round."""
    _, (before, inside, foreign, _), spans = ran
    assert "trace_id" not in before
    assert inside["trace_id"] == foreign["trace_id"] == TRACE
    assert inside["span_id"] == spans["outer"]["span_id"]


def test_a_span_goes_on_with_the_trace_that_caused_it(ran):
    traceparent, _, spans = ran
    assert (spans["outer"]["trace_id"], spans["outer"]["parent_span_id"]) == (TRACE, PARENT)
    assert spans["inner"]["parent_span_id"] == spans["outer"]["span_id"]
    assert traceparent == f"00-{TRACE}-{spans['inner']['span_id']}-01"


def test_attributes_are_in_the_products_own_namespace(ran):
    _, _, spans = ran
    assert spans["outer"]["attributes"] == {"spacecom.consumer": "x"}
    assert spans["inner"]["attributes"] == {"spacecom.count": 2, "spacecom.good": True}
    assert spans["outer"]["service"] == "spacecom-toy"
    assert spans["outer"]["start_ns"] <= spans["inner"]["start_ns"] <= spans["inner"]["end_ns"]


@pytest.mark.parametrize("given", ["", "x", "00-0-0-00", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é", "x" * 10_000])
def test_a_traceparent_that_is_none_is_as_good_as_none(given):
    with telemetry.span("outer", parent=given):
        assert telemetry.current_traceparent() == ""


def test_a_level_that_is_none_is_refused():
    with pytest.raises(ValueError, match="log_level"):
        TelemetrySettings(log_level="loud")

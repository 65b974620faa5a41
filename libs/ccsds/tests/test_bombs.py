"""XML made to exhaust its reader, or to make it reach out: refused at once and in little memory.

Each document is read in a process of its own, whose peak memory is compared with that of one that reads an ordinary
message. `python -m libs.ccsds.tests.test_bombs` prints time and memory of each.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

import pytest

from libs.astro.elements import RefusalReason, Refused
from libs.ccsds import kvn, markup, omm
from libs.ccsds.tests.omm_record import as_xml

MEMORY_MB = 50.0
HANG_S = 60.0  # generous: a bomb that goes off takes minutes or all memory; the figures are printed by the module
GOOD = as_xml()


def with_type(definitions: str, use: str) -> bytes:
    inside = GOOD.partition(b"\n")[2].replace(b"CZ-5B R/B", use.encode())
    return f'<?xml version="1.0"?>\n<!DOCTYPE omm [{definitions}]>\n'.encode() + inside


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return with_type('<!ENTITY l0 "ha">' + entities, "&l11;")


def quadratic() -> bytes:
    return with_type(f'<!ENTITY a "{"a" * 100_000}">', "&a;" * 100_000)


def external() -> bytes:
    return with_type('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;")


def parameter_entity() -> bytes:
    return with_type('<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;', "x")


def document_type() -> bytes:
    return b'<!DOCTYPE omm SYSTEM "http://127.0.0.1:9/omm.dtd">\n' + GOOD.partition(b"\n")[2]


def undefined_entity() -> bytes:
    return GOOD.replace(b"CZ-5B R/B", b"&nobody;")


def deep() -> bytes:
    return b"<a>" * 200_000 + b"</a>" * 200_000


def deep_in_a_message() -> bytes:
    return GOOD.replace(b"<header>", b"<header>" + b"<a>" * 200_000 + b"</a>" * 200_000)


def huge() -> bytes:
    return b"<omm>" + b" " * (100 * 2**20) + b"</omm>"


def long_tag() -> bytes:
    return b"<ndm " + b"a" * (60 * 2**20) + b'="1"/>'


def long_comment() -> bytes:
    return b"<ndm><!-- " + b"> " * (30 * 2**20) + b"--></ndm>"


def long_text() -> bytes:
    return GOOD.replace(b"CZ-5B R/B", b"a" * (60 * 2**20))


def many_attributes() -> bytes:
    return b"<ndm " + b" ".join(b'a%d="1"' % n for n in range(500_000)) + b"/>"


def many_entries() -> bytes:
    return GOOD.replace(b"</header>", b"<COMMENT>x</COMMENT>" * 1_000_000 + b"</header>")


def many_entries_without_an_end() -> bytes:
    return many_entries().removesuffix(b"</omm>\n").removesuffix(b"</omm>")


def many_empty_entries() -> bytes:
    return GOOD.replace(b"</header>", b"<COMMENT/>" * 1_000_000 + b"</header>")


def many_states() -> bytes:
    state = b"<stateVector><EPOCH>2022-11-03T00:00:00</EPOCH><X>1</X><Y>2</Y><Z>3</Z></stateVector>"
    return b'<oem id="CCSDS_OEM_VERS" version="3.0"><body><segment><data>' + state * 250_000


BOMBS: dict[str, Callable[[], bytes]] = {
    bomb.__name__: bomb
    for bomb in (
        laughs, quadratic, external, parameter_entity, document_type, undefined_entity, deep, deep_in_a_message,
        huge, long_tag, long_comment, long_text, many_attributes, many_entries, many_entries_without_an_end,
        many_empty_entries, many_states,
    )
}  # fmt: skip


def peak_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) / 1024.0 for line in lines if line.startswith("VmHWM"))


def measured(name: str) -> dict[str, object]:
    """In this process: what reading the bomb took beyond holding its bytes."""
    data = BOMBS[name]()
    list(omm.read_omm_xml(GOOD))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # what building the bomb took is forgotten
    before, start = peak_mb(), time.perf_counter()
    found = list(omm.read_omm_xml(data))
    return {
        "ms": (time.perf_counter() - start) * 1e3,
        "mb": peak_mb() - before,
        "refused": [type(one) is Refused for one in found],
        "reason": found[-1].reason.name if isinstance(found[-1], Refused) else "",
        "detail": str(found[-1])[:120],
    }


def in_a_process(name: str) -> dict[str, object]:
    command = [sys.executable, "-m", "libs.ccsds.tests.test_bombs", name]
    limit = 2 * 2**30
    done = subprocess.run(
        command,
        capture_output=True,
        check=True,
        timeout=HANG_S,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
    )
    return json.loads(done.stdout)


class Counted:
    """A document that says how far its parser was fed."""

    def __init__(self, data: bytes) -> None:
        self.fed = 0
        self.document = markup._Document(data)
        self.data = data

    def run(self) -> None:
        while self.fed < len(self.data):
            chunk = self.data[self.fed : self.fed + markup.CHUNK]
            self.fed += len(chunk)
            self.document.feed(chunk, final=self.fed >= len(self.data))


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "huge"])
def test_a_bomb_is_refused_within_the_first_of_its_bytes(name):
    """INVARIANT: refusing is cheap. Half a megabyte of XML parses in 10 ms, where F3 allows 100."""
    counted = Counted(BOMBS[name]())
    with pytest.raises((markup._Stop, expat.ExpatError)):
        counted.run()
    assert counted.fed <= 2**19, counted.fed


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_memory(name):
    """INVARIANT: no document of a stranger takes down the process that reads it."""
    result = in_a_process(name)
    assert result["refused"] == [True], result
    assert result["mb"] < MEMORY_MB, result


def test_what_is_too_large_is_not_parsed_at_all():
    for read, size in ((omm.read_omm_xml, markup.MAX_BYTES), (omm.read_omm_kvn, kvn.MAX_BYTES)):
        (found,) = read(bytes(size + 1))
        assert found.reason is RefusalReason.TOO_LARGE


def test_no_entity_but_the_five_of_xml_is_known():
    data = GOOD.replace(b"CZ-5B R/B", b"&lt;A&amp;B&gt; &#x52;/B")
    (found,) = omm.read_omm_xml(data)
    assert found.object_name == b"<A&B> R/B"


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(json.dumps(measured(sys.argv[1])))
    else:
        for bomb in BOMBS:
            said = in_a_process(bomb)
            sys.stdout.write(f"{bomb:18} {said['ms']:8.1f} ms {said['mb']:6.1f} MB  {said['detail']}\n")

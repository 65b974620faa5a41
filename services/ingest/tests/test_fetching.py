"""What headers and links of an answer are taken to say."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.ingest import fetching

NOW = datetime(2022, 11, 4, 12, tzinfo=UTC)
BASE = "https://discos.example"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("120", 120),
        (" 120 ", 120),
        ("9" * 400, 10**7),
        ("Fri, 04 Nov 2022 12:10:00 GMT", 600),
        ("Fri, 04 Nov 2022 11:00:00 GMT", 0),
    ],
)
def test_a_wait_is_seconds_or_an_instant(text, seconds):
    assert fetching._wait(text, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "seconds"),
    [
        ("20", "19", "60", 0),
        ("20", "5", "60", 0),
        ("20", "4", "60", 60),
        ("20", "0", str(int(NOW.timestamp()) + 42), 42),
        ("20", "0", str(int(NOW.timestamp()) - 42), 1),
        ("20", "0", "9999999", 86400),
        ("20", "0", "", 0),
        ("x", "0", "60", 0),
    ],
)
def test_rate_headers_are_heeded_once_our_share_is_used(limit, remaining, reset, seconds):
    names = ("X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset")
    headers = httpx.Headers(dict(zip(names, (limit, remaining, reset), strict=True)))
    assert fetching._pause(headers, NOW) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("following", "path"),
    [
        ('"/api/objects?page=2"', "/api/objects?page=2"),
        (f'"{BASE}/api/objects?page=2"', "/api/objects?page=2"),
        ('"https://elsewhere.example/api"', ""),
        (f'"{BASE}.elsewhere.example/api"', ""),
        ('"//elsewhere.example/api"', ""),
        ("null", ""),
        ("7", ""),
    ],
)
def test_a_next_page_is_followed_on_its_own_host_only(following, path):
    """INVARIANT: a token goes to its source and to no other host, whatever a page links to."""
    assert fetching._next_page(b'{"links": {"next": %s}}' % following.encode(), BASE) == path


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"links": []}', b"[" * 100_000, b"<html>"])
def test_what_is_no_page_has_no_next(body):
    assert fetching._next_page(body, BASE) == ""

"""A server on this machine that answers as the sources do, with their faults when it is told to."""

import asyncio
import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import partial
from urllib.parse import unquote

from services.ingest.tests import cases, gate_inputs, rows

USER, PASSWORD, TOKEN = "canary-user@example.org", "canary-password-71c2", "canary-token-93ab"
COOKIE = "chocolatechip=canary-cookie-5f10"
TIP = {
    "NORAD_CAT_ID": "54217", "MSG_EPOCH": "2022-11-03 15:00:00", "INSERT_EPOCH": "2022-11-03 15:11:32",
    "DECAY_EPOCH": "2022-11-04 10:04:00", "WINDOW": "60", "REV": "68", "DIRECTION": "ascending",
    "LAT": "41.6", "LON": "350.7", "INCL": "41.5", "NEXT_REPORT": "2", "ID": "1234", "HIGH_INTEREST": "Y",
    "OBJECT_NUMBER": "54217",
}  # fmt: skip


@dataclass
class Answer:
    """`cut` bytes of the body are never sent; `drip_s` lies between one byte and the next."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    drip_s: float = 0.0


@dataclass(frozen=True)
class Asked:
    at: datetime
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def provider(self) -> str:
        return next((name for start, name in PROVIDER_OF.items() if self.path.startswith(start)), "dataset")


PROVIDER_OF = {
    "/ajaxauth": "space-track",
    "/basicspacedata": "space-track",
    "/NORAD": "celestrak",
    "/SpaceData": "celestrak",
    "/pub": "celestrak",
    "/json": "swpc",
    "/products": "swpc",
    "/data": "iers",
    "/api": "discos",
}
Say = Callable[[Asked], Answer]


@dataclass
class Sources:
    """`faults` answer in place of the source, by the beginning of the path; `contents` may be exchanged."""

    clock: Callable[[], datetime]
    faults: dict[str, Say] = field(default_factory=dict)
    contents: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    pages: int = 3
    sessions: bool = True  # whether a cookie is still good
    url: str = ""

    def of(self, start: str) -> list[Asked]:
        return [one for one in self.asked if one.path.startswith(start)]

    def of_provider(self, name: str) -> list[Asked]:
        return [one for one in self.asked if one.provider == name]

    def say(self, asked: Asked) -> Answer:
        for start, fault in self.faults.items():
            if asked.path.startswith(start):
                return fault(asked)
        if asked.path == "/ajaxauth/login":
            return self._login(asked)
        if asked.provider == "space-track" and (not self.sessions or asked.headers.get("cookie") != COOKIE):
            self.sessions = True
            return Answer(401, b"You must be logged in")
        if asked.provider == "discos":
            return self._discos(asked)
        body = next((make() for start, make in self.contents.items() if asked.path.startswith(start)), None)
        if body is None:
            return Answer(404, b"not found")
        return _conditional(asked, body)

    def _login(self, asked: Asked) -> Answer:
        form = unquote(asked.body.decode())
        if USER not in form or PASSWORD not in form:
            return Answer(200, b'{"Login":"Failed"}', {"Set-Cookie": "chocolatechip=deleted; path=/"})
        self.sessions = True
        return Answer(200, b'""', {"Set-Cookie": f"{COOKIE}; path=/"})

    def _discos(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, b'{"errors": []}')
        page = int(unquote(asked.path).partition("page[number]=")[2].partition("&")[0])
        document = json.loads(rows.discos(str(80000 + page), satno=54216 + page, cosparId=f"2022-{142 + page}B"))
        following = f"/api/objects?page%5Bsize%5D=100&page%5Bnumber%5D={page + 1}&sort=id"
        document["links"] = {"next": following if page < self.pages else None}
        used = len([one for one in self.of("/api") if (self.clock() - one.at).total_seconds() < 60])
        headers = {"X-Ratelimit-Limit": "20", "X-Ratelimit-Remaining": str(20 - used), "X-Ratelimit-Reset": "60"}
        return Answer(200, json.dumps(document).encode(), headers)


def _conditional(asked: Asked, body: bytes) -> Answer:
    etag = f'"{hash(body):x}"'
    if asked.headers.get("if-none-match") == etag:
        return Answer(304)
    return Answer(200, body, {"ETag": etag})


def usual(clock: Callable[[], datetime]) -> dict[str, Callable[[], bytes]]:
    """What each source has on an ordinary day."""
    query, start = "/basicspacedata/query/class", date(2022, 10, 20)
    good = {
        f"{query}/gp/": "omm json",
        f"{query}/gp_history/": "omm json",
        "/NORAD/elements/gp.php": "omm csv",
        "/SpaceData/SW-Last5Years.csv": "weather csv",
        "/pub/satcat.csv": "satcat csv",
        "/json/f107_cm_flux.json": "swpc flux",
        "/products/noaa-planetary-k-index.json": "swpc k",
        "/products/45-day-forecast.json": "swpc forecast",
        "/data/9/finals2000A.all": "finals2000A",
        "/fir.xml": "aixm",
        "/traffic.csv": "traffic csv",
        "/traffic.geojson": "traffic geojson",
    }
    files = {path: gate_inputs.GOOD[kind][1] for path, kind in good.items()}
    return {path: partial(bytes, file) for path, file in files.items()} | {
        f"{query}/tip/": lambda: json.dumps([TIP]).encode(),
        f"{query}/satcat/": lambda: rows.as_csv(rows.SATCAT_ROW),
        f"{query}/decay/": lambda: rows.as_json(rows.DECAY_ROW),
        "/SpaceData/SW-Last5Years.txt": lambda: cases.cssi(start, (clock().date() - start).days),
        "/fir.geojson": lambda: cases.airspace("AAAA", "BBBB"),
    }


class Server:
    """Speaks HTTP/1.1 by itself, one request a connection, so that it can break it."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Sources:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.sources.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self.sources

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                asked = await self._read(reader)
                self.sources.asked.append(asked)
                await self._write(writer, self.sources.say(asked))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Asked:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Asked(self.sources.clock(), method, path, headers, body)

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        date_now = format_datetime(self.sources.clock().astimezone(UTC), usegmt=True)
        said = {"Date": date_now, "Content-Length": str(len(answer.body)), "Connection": "close"} | answer.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        writer.write(f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode())
        sent = answer.body[: len(answer.body) - answer.cut]
        if answer.drip_s:
            for byte in sent:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(answer.drip_s)
        elif answer.status != 304:
            writer.write(sent)
        await writer.drain()


def bomb(size: int) -> Answer:
    return Answer(200, gzip.compress(b"0" * size), {"Content-Encoding": "gzip"})

"""One request to a source, bounded in bytes and time; no redirect is followed, so that credentials go to its host only.

Sentences about a failure are our own: what a server writes, and where we asked, may hold what is nobody's business.
"""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
from pydantic import SecretStr

from services.ingest.domain import SourceProblem
from services.ingest.policies import SHARE_PERCENT, Access, Policy, Provider

CONNECT_S, READ_S = 10.0, 30.0
LOGIN_PATH = "/ajaxauth/login"
LOGIN_BYTES = 64 * 1024
CLOCK_TOLERANCE = timedelta(minutes=15)
LEAST_SECRET = 6  # a shorter one may stand in a text by chance
_SECRET_NAME = re.compile("key|token|secret|pass|auth|sig", re.IGNORECASE)  # of a part of an address
TIMEOUT = httpx.Timeout(READ_S, connect=CONNECT_S)
Permit = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    token: SecretStr = field(default_factory=lambda: SecretStr(""))

    @property
    def secrets(self) -> list[str]:
        return [self.password.get_secret_value(), self.token.get_secret_value()]


@dataclass(frozen=True, slots=True)
class Condition:
    """What identifies the content that was fetched last."""

    etag: str = ""
    last_modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        said = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    body: bytes
    condition: Condition
    published_at: datetime | None
    next_page: str = ""
    pause: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class NotModified:
    pause: timedelta = timedelta(0)


class Fault(Exception):
    """Nothing usable came; `status` is that of an answer, `reached` whether a request may have been counted."""

    def __init__(
        self,
        problem: SourceProblem,
        reason: str,
        *,
        status: int | None = None,
        wait: timedelta | None = None,
        reached: bool = True,
    ) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason
        self.status = status
        self.wait = wait
        self.reached = reached


@dataclass(slots=True)
class Client:
    """To one provider. `logged_in` while its session, a cookie, is believed to hold."""

    provider: Provider
    base_url: str
    credentials: Credentials
    clock: Callable[[], datetime]
    http: httpx.AsyncClient = field(repr=False)
    logged_in: bool = False

    async def get(self, policy: Policy, path: str, condition: Condition, permit: Permit) -> Fetched | NotModified:
        """Waits for `permit` before each request, a login too. Raises Fault."""
        try:
            async with asyncio.timeout(policy.total.total_seconds()):
                return await self._get(policy, path, condition, permit)
        except TimeoutError as error:
            said = f"it did not finish its answer within {policy.total.total_seconds():.0f} s"
            raise Fault(SourceProblem.UNREACHABLE, said) from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.InvalidURL) as error:
            raise Fault(SourceProblem.UNREACHABLE, "no connection to it can be made", reached=False) from error
        except httpx.TimeoutException as error:
            raise Fault(SourceProblem.UNREACHABLE, f"it said nothing for {READ_S:.0f} s") from error
        except httpx.RemoteProtocolError as error:
            raise Fault(SourceProblem.UNREACHABLE, "it broke off before the end of its answer") from error
        except httpx.TransportError as error:
            raise Fault(SourceProblem.UNREACHABLE, f"the connection failed: {type(error).__name__}") from error

    async def _get(self, policy: Policy, path: str, condition: Condition, permit: Permit) -> Fetched | NotModified:
        fresh = await self._log_in(permit)
        try:
            return await self._ask(policy, path, condition, permit)
        except Fault as fault:
            if self.provider.access is not Access.SESSION or fault.status != HTTPStatus.UNAUTHORIZED:
                raise
            self.logged_in = False
            if fresh:
                raise
        await self._log_in(permit)  # the session had ended
        return await self._ask(policy, path, condition, permit)

    async def _log_in(self, permit: Permit) -> bool:
        """Whether it had to."""
        if self.provider.access is not Access.SESSION or self.logged_in:
            return False
        await permit()
        self.http.cookies.clear()
        form = {"identity": self.credentials.user, "password": self.credentials.password.get_secret_value()}
        async with self.http.stream("POST", self.base_url + LOGIN_PATH, data=form) as answer:
            self._check(answer, login=True)
            body = await _whole(answer, LOGIN_BYTES)
        if b'"Failed"' in body or not self.http.cookies:
            raise Fault(SourceProblem.CREDENTIALS, "it refuses the login; check user and password, and sign in by hand")
        self.logged_in = True
        return True

    async def _ask(self, policy: Policy, path: str, condition: Condition, permit: Permit) -> Fetched | NotModified:
        await permit()
        headers = condition.headers
        if self.provider.access is Access.BEARER:
            headers["Authorization"] = f"Bearer {self.credentials.token.get_secret_value()}"
        async with self.http.stream("GET", self.base_url + path, headers=headers) as answer:
            pause = _pause(answer.headers, self.clock())
            if answer.status_code == HTTPStatus.NOT_MODIFIED:
                return NotModified(pause)
            self._check(answer)
            body = await _whole(answer, policy.max_bytes)
        secrets = [*self.credentials.secrets, *_secrets_of(path), *self.http.cookies.values()]
        if _stand_in(body, secrets):
            raise Fault(SourceProblem.UNUSABLE, "its answer repeats our credentials; nothing of it was kept")
        _check_error_row(body)
        published_at = _instant(answer.headers.get("last-modified"), self.clock())
        known = Condition(answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))
        return Fetched(body, known, published_at, _next_page(body, self.base_url) if policy.paged else "", pause)

    def _check(self, answer: httpx.Response, *, login: bool = False) -> None:
        now, status = self.clock(), answer.status_code
        if status != HTTPStatus.OK:
            raise _refusal(status, _wait(answer.headers.get("retry-after"), now), login=login)
        said = _instant(answer.headers.get("date"), datetime.max.replace(tzinfo=UTC))
        if said is None or answer.headers.get("age"):  # a cache repeats the date of what it keeps
            return
        if abs(said - now) > CLOCK_TOLERANCE:
            ahead = (said - now).total_seconds() / 3600.0
            raise Fault(SourceProblem.CLOCK, f"its clock is {ahead:+.1f} h from ours; one of the two is wrong")


def new_http(proxy: str, user_agent: str) -> httpx.AsyncClient:
    """Takes nothing from the environment: a .netrc of the account would be sent to whom it was not meant for."""
    headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip"}
    return httpx.AsyncClient(timeout=TIMEOUT, headers=headers, trust_env=False, proxy=proxy or None)


def _refusal(status: int, wait: timedelta | None, *, login: bool) -> Fault:
    said = f"it answered {status} {_phrase(status)}".rstrip()
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Fault(SourceProblem.TOO_MANY_REQUESTS, f"{said}; it asks for fewer requests", status=status, wait=wait)
    if status == HTTPStatus.UNAUTHORIZED or (login and 400 <= status < 500):
        return Fault(SourceProblem.CREDENTIALS, f"{said}; check its credentials", status=status)
    if status >= 500:
        return Fault(SourceProblem.UNREACHABLE, said, status=status, wait=wait)
    if 300 <= status < 400:
        said += "; it has moved: look where to, and set its address"
    return Fault(SourceProblem.REFUSED, said, status=status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


async def _whole(answer: httpx.Response, limit: int) -> bytes:
    """Decoded here, a bounded piece at a time: a few KB of gzip may stand for many GB."""
    encoding = answer.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise Fault(SourceProblem.UNUSABLE, "it answers in an encoding that was not asked for")
    body = bytearray()
    pieces = answer.aiter_raw() if encoding == "identity" else _unzipped(answer.aiter_raw(), limit)
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            raise Fault(SourceProblem.UNUSABLE, f"its answer is larger than the {limit} bytes that are taken")
    return bytes(body)


async def _unzipped(pieces: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        async for piece in pieces:
            yield unzip.decompress(piece, limit + 1)
            if unzip.unconsumed_tail:
                raise Fault(SourceProblem.UNUSABLE, f"its answer unpacks to more than the {limit} bytes that are taken")
    except zlib.error as error:
        raise Fault(SourceProblem.UNUSABLE, "its compressed answer is damaged") from error
    if not unzip.eof:
        raise Fault(SourceProblem.UNREACHABLE, "it broke off before the end of its answer")


def _secrets_of(address: str) -> list[str]:
    parts = urlsplit(address)
    return [parts.password or "", *(value for name, value in parse_qsl(parts.query) if _SECRET_NAME.search(name))]


def _stand_in(body: bytes, secrets: Iterable[str]) -> bool:
    """As they are, or as a form or an address writes them."""
    return any(
        len(secret) >= LEAST_SECRET and (secret.encode() in body or quote(secret, safe="").encode() in body)
        for secret in secrets
    )


def _check_error_row(body: bytes) -> None:
    """Space-Track says {"error": ...} with status 200."""
    if not body[:64].lstrip().startswith(b'{"error"') or len(body) > LOGIN_BYTES:
        return
    if b"rate limit" in body.lower():
        raise Fault(SourceProblem.TOO_MANY_REQUESTS, "it says that its limit of requests was passed")
    raise Fault(SourceProblem.UNUSABLE, "it answers with an error instead of data")


def _next_page(body: bytes, base_url: str) -> str:
    """The path of JSON:API's links.next, of this host only; empty at the end and when the page is no JSON."""
    try:
        links = json.loads(body).get("links")
        found = str((links or {}).get("next") or "")
    except (ValueError, AttributeError, RecursionError):
        return ""
    path = found.removeprefix(base_url)
    return path if path.startswith("/") and not path.startswith("//") else ""


def _instant(text: str | None, latest: datetime) -> datetime | None:
    """An HTTP date that is not after `latest`."""
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found if found <= latest else None


def _wait(text: str | None, now: datetime) -> timedelta | None:
    """Retry-After: seconds, or an HTTP date."""
    if text and text.strip().isascii() and text.strip().isdigit():
        return timedelta(seconds=min(int(text.strip()[:9]), 10**7))
    at = _instant(text, datetime.max.replace(tzinfo=UTC))
    return max(at - now, timedelta(0)) if at else None


def _pause(headers: httpx.Headers, now: datetime) -> timedelta:
    """Until the window ends, once our share of what the rate headers allow is used."""
    said = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(one.isascii() and one.isdigit() and len(one) < 12 for one in said):
        return timedelta(0)
    limit, remaining, reset = map(int, said)
    if limit - remaining < limit * SHARE_PERCENT // 100:
        return timedelta(0)
    seconds = reset - now.timestamp() if reset > 10**9 else float(reset)  # an instant, or what is left
    return timedelta(seconds=min(max(seconds, 1.0), 86400.0))

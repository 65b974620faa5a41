"""Calls to the mesh: where it is, who calls, and what its refusals say.

Failed: a command that did not do what was asked; carries its exit status
├── Refused        the mesh said no, and why
├── Unreachable    a service does not answer
└── Unwell         the mesh answers, but not all of it is as it should be
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from infra.local import mesh
from infra.local.mesh import Files, NotRunning

DEADLINE_S = 60.0
S = TypeVar("S")


class Failed(Exception):
    status = 1


class Refused(Failed):
    """`reason` is the code a program may act on."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Unreachable(Failed):
    status = 3


class Unwell(Failed):
    status = 4


@dataclass(frozen=True, slots=True)
class Mesh:
    """Addresses by service name, and the caller's token."""

    services: dict[str, str]
    token: str

    @contextmanager
    def stub(self, service: str, kind: Callable[[grpc.Channel], S]) -> Iterator[S]:
        if service not in self.services:
            known = ", ".join(sorted(self.services))
            raise Refused("UNKNOWN_SERVICE", f"there is no service {service!r}; there are {known}")
        with grpc.insecure_channel(self.services[service]) as channel:
            try:
                yield kind(channel)
            except grpc.RpcError as error:
                raise _failure(service, error) from error

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    def ask(
        self,
        service: str,
        kind: Callable[[grpc.Channel], Any],
        method: str,
        request: Message,
        timeout_s: float = DEADLINE_S,
    ) -> Any:
        """One unary call."""
        with self.stub(service, kind) as stub:
            return getattr(stub, method)(request, timeout=timeout_s, metadata=self.metadata)


def connect() -> Mesh:
    """The mesh named by SPACECOM_<SERVICE>_ADDRESS and SPACECOM_TOKEN, else the one that runs on this machine."""
    named = {
        name: address
        for name in mesh.PARTS
        if (address := os.environ.get(f"SPACECOM_{name.upper().replace('-', '_')}_ADDRESS"))
    }
    token = os.environ.get("SPACECOM_TOKEN", "")
    if named and token:
        return Mesh(named, token)
    try:
        found = mesh.read(Files())
        token = token or Path(found["tokens"]["operator"]).read_text()
    except (NotRunning, OSError) as error:
        raise Unreachable(str(error)) from error
    return Mesh(found["services"] | named, token)


def _failure(service: str, error: grpc.RpcError) -> Failed:
    code = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    details = error.details() if isinstance(error, grpc.Call) else str(error)
    reason = _reason(error)
    if code is grpc.StatusCode.UNAVAILABLE:
        said = f"{service} waits: {details}" if reason else f"{service} does not answer"
        return Unreachable(f"{said}; see how the mesh is with: spacecom doctor")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Unreachable(f"{service} did not answer in time; see how the mesh is with: spacecom doctor")
    return Refused(reason or code.name, details or code.name)


def _reason(error: grpc.RpcError) -> str:
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # the status and its details do not agree
        return ""
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""

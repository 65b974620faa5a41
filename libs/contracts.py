"""Who may ask, and for what: a settings file in the shape of the contract message."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format

from libs.redistribution import CLASSES
from spacecom.identity.v1.identity_contracts_pb2 import Contracts, Entitlements, Role

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class BadContracts(Exception):
    """The contracts file cannot be used."""


@dataclass(frozen=True, slots=True)
class Principal:
    principal_id: str
    organisation_id: str
    roles: tuple[int, ...]
    entitlements: Entitlements


@dataclass(frozen=True, slots=True)
class Directory:
    """Principals by the SHA-256 of their bearer token."""

    principals: tuple[tuple[str, Principal], ...]

    def find(self, token: str) -> Principal | None:
        """Compares with every principal in constant time, so that the time taken tells nothing."""
        digest = hashlib.sha256(token.encode()).hexdigest()
        found = None
        for known, principal in self.principals:
            if hmac.compare_digest(known, digest):
                found = principal
        return found


def load(path: Path) -> Directory:
    try:
        contracts = json_format.Parse(path.read_text(), Contracts())
    except (OSError, UnicodeDecodeError, json_format.ParseError) as error:
        raise BadContracts(f"{path} cannot be read as contracts: {error}; write it as the message Contracts") from error
    return directory(contracts)


def directory(contracts: Contracts) -> Directory:
    principals = tuple(_principals(contracts))
    ids = [principal.principal_id for _, principal in principals]
    tokens = [token for token, _ in principals]
    if len(set(ids)) < len(ids) or len(set(tokens)) < len(tokens):
        raise BadContracts("two principals share an id or a token; give each its own")
    return Directory(principals)


def _principals(contracts: Contracts) -> Iterable[tuple[str, Principal]]:
    for contract in contracts.contracts:
        for name in contract.entitlements.redistribution_classes:
            if name not in CLASSES:
                known = ", ".join(CLASSES)
                raise BadContracts(f"{contract.organisation_id!r} has a right to {name!r}; classes are {known}")
        for principal in contract.principals:
            if not principal.principal_id:
                raise BadContracts(f"a principal of {contract.organisation_id!r} has no name; give it a principal_id")
            if not _SHA256.fullmatch(principal.token_sha256):
                raise BadContracts(f"token_sha256 of {principal.principal_id!r} is not 64 hexadecimal digits")
            roles = tuple(role for role in principal.roles if role in Role.values())
            yield (
                principal.token_sha256.lower(),
                Principal(principal.principal_id, contract.organisation_id, roles, contract.entitlements),
            )

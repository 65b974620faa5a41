import hashlib
import json

import pytest

from libs import contracts
from libs.contracts import BadContracts
from spacecom.identity.v1.identity_contracts_pb2 import ROLE_ANALYST, ROLE_VIEWER, Contract, Contracts, Entitlements


def token(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def document(**changed: object) -> dict:
    principal = {"principal_id": "p", "token_sha256": token("secret"), "roles": ["ROLE_VIEWER", "ROLE_ANALYST"]}
    limits = {"catalogue_numbers": [54217], "fir_designators": ["LECB"], "max_sample_count": 100}
    return {"contracts": [{"organisation_id": "o", "principals": [principal | changed], "entitlements": limits}]}


@pytest.fixture
def load(tmp_path):
    def made(content: object) -> contracts.Directory:
        file = tmp_path / "contracts.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return contracts.load(file)

    return made


def test_a_principal_is_found_by_its_token_with_all_that_its_contract_grants(load):
    found = load(document()).find("secret")
    assert (found.principal_id, found.organisation_id, found.roles) == ("p", "o", (ROLE_VIEWER, ROLE_ANALYST))
    assert list(found.entitlements.catalogue_numbers) == [54217]
    assert found.entitlements.max_sample_count == 100


@pytest.mark.parametrize("given", ["", "Secret", "secret ", token("secret"), "\0", "é", "x" * 100_000])
def test_no_other_token_finds_anybody(load, given):
    assert load(document()).find(given) is None


@pytest.mark.parametrize("text", ["", "{", '{"contracts": [{"nothing_known": 1}]}', '{"contracts": 1}'])
def test_a_file_that_is_no_message_of_contracts_is_refused(load, text):
    with pytest.raises(BadContracts, match="Contracts"):
        load(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadContracts, match="cannot be read"):
        contracts.load(tmp_path / "nothing.json")


@pytest.mark.parametrize("digest", ["", "abc", "x" * 64, "é" * 64, token("secret") + "0", token("s")[:-1] + " "])
def test_a_token_that_is_no_hash_is_refused_at_the_start_and_not_at_the_first_call(load, digest):
    with pytest.raises(BadContracts, match="64 hexadecimal digits"):
        load(document(token_sha256=digest))


def test_a_hash_in_capitals_is_the_same_hash(load):
    assert load(document(token_sha256=token("secret").upper())).find("secret")


def test_two_principals_share_neither_a_token_nor_a_name(load):
    for changed in ({"principal_id": "q"}, {"token_sha256": token("other")}):
        both = document()
        both["contracts"] += document(**changed)["contracts"]
        with pytest.raises(BadContracts, match="share"):
            load(both)


def test_a_principal_has_a_name(load):
    with pytest.raises(BadContracts, match="name"):
        load(document(principal_id=""))


def test_who_has_no_role_may_do_nothing(load):
    assert load(document(roles=[])).find("secret").roles == ()


def test_a_right_to_an_unknown_class_is_refused_at_start():
    entitlements = Entitlements(redistribution_classes=["space-track", "spacetrak"])
    with pytest.raises(BadContracts, match="spacetrak"):
        contracts.directory(Contracts(contracts=[Contract(organisation_id="o", entitlements=entitlements)]))

"""What a mesh for a replay is told."""

from infra.local.mesh import Files
from services.replay import temporary


def test_a_replay_polls_no_source_and_makes_none_late_whatever_the_account_has_set(tmp_path):
    """INVARIANT: only recorded facts enter a replay; one from today in it would be hindsight."""
    told = temporary.settings_of(Files(tmp_path), "replay1")
    assert (told["SPACECOM_INGEST_SOURCES"], told["SPACECOM_INGEST_WATCH_S"]) == ("[]", "0")

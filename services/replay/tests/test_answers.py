from datetime import timedelta

from libs import cases
from services.replay import answers
from services.replay.answers import Row


def test_a_published_window_that_was_narrower_and_missed_is_told():
    case = cases.load("cz5b-2022")
    truth = case.truths[0].middle_at
    ours = Row(
        truth - timedelta(hours=12), nominal_at=truth, first_at=truth - timedelta(hours=2),
        last_at=truth + timedelta(hours=2), life=timedelta(hours=12), holds=True,
    )  # fmt: skip
    wide, narrow = answers.compared(case, [ours, Row(truth, declined="too high")])
    assert (wide["narrower_than_ours"], wide["holds_truth"]) == (False, True)
    assert narrow["said"] == "11-04 08:19 to 11-04 09:21, narrower than ours, missed the truth"

"""Claims about whether a build goes on with the last one."""

from pathlib import Path

import pytest

from python_steps.building.journal import Journal, Restart, Resume, decide

NOW = {"project files": "1", "source files": "2"}
LEFT = [10, 20]  # state of the warehouse when the last build ended


def journal(*, fingerprint=NOW, refresh=False, ended=True, complete=True, failed=False):
    end = {"is_complete": complete, "has_failed": failed, "warehouse": LEFT}
    return Journal(
        Path("journal.jsonl"),
        dict(fingerprint),
        is_full_refresh=refresh,
        is_complete=ended and complete,
        ended=end if ended else None,
    )


def decided(last, *, now=NOW, warehouse=LEFT, refresh=False, unlisted=False):
    return decide(last, now, warehouse, is_full_refresh=refresh, has_unlisted_files=unlisted)


@pytest.mark.parametrize(
    ("last", "asked"),
    [
        (journal(), {}),
        (journal(ended=False), {"warehouse": [99, 99]}),  # killed: it left no word of the state
        (journal(complete=False, failed=True), {}),
        (journal(refresh=True, ended=False), {"refresh": True}),
        (journal(refresh=True, complete=False, failed=True), {"refresh": True}),
        (journal(refresh=True, ended=False), {}),
        (journal(complete=False, failed=True), {"unlisted": True}),
    ],
)
def test_a_build_goes_on_where_nothing_has_changed(last, asked):
    assert decided(last, **asked) == Resume(last)


@pytest.mark.parametrize(
    ("last", "asked", "changed", "keeps_checkpoints"),
    [
        (None, {}, (), False),
        (journal(fingerprint={**NOW, "source files": "3"}), {}, ("source files",), True),
        (journal(fingerprint={**NOW, "project files": "3"}), {}, ("project files",), False),
        (journal(fingerprint={}), {}, ("project files", "source files"), False),
        (journal(), {"refresh": True}, (), False),
        (journal(refresh=True), {"refresh": True}, (), False),
        (journal(ended=False), {"refresh": True}, (), False),
        (journal(), {"warehouse": [11, 20]}, ("the warehouse (by another program)",), True),
        (journal(), {"warehouse": None}, ("the warehouse (by another program)",), True),
        (journal(ended=False), {"warehouse": None}, ("the warehouse (by another program)",), True),
        (journal(), {"unlisted": True}, ("possibly files on other storage",), True),
    ],
)
def test_a_build_begins_again_and_says_why(last, asked, changed, keeps_checkpoints):
    assert decided(last, **asked) == Restart(changed, keeps_checkpoints)

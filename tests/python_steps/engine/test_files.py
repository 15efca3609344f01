"""Claims about files: no reader sees half of one, and one process writes at a time."""

import signal
import subprocess
import sys

import pytest

from python_steps.engine.files import LockedError, locked, written_whole

KILLED = """
import os, signal, sys
from pathlib import Path
from python_steps.engine.files import locked, written_whole
path = Path(sys.argv[1])
with locked(path), written_whole(path) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("by_many", [False, True])
def test_a_file_appears_when_it_is_whole(tmp_path, by_many):
    path = tmp_path / "labels.csv"
    path.write_text("old")
    with written_whole(path, by_many=by_many) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("old")
    with pytest.raises(ValueError, match="torn"), written_whole(path) as partial:
        partial.write_text("ne")
        raise ValueError("torn")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_write_apart(tmp_path):
    path = tmp_path / "a.shard.arrow"
    with written_whole(path, by_many=True) as one, written_whole(path, by_many=True) as other:
        assert one != other
        one.write_text("the same")
        other.write_text("the same")
    assert path.read_text() == "the same"


def test_a_killed_process_leaves_no_lock_and_what_it_wrote_is_replaced(tmp_path):
    path = tmp_path / "journal.jsonl"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    (partial,) = tmp_path.glob("*.partial")
    assert partial.read_text() == "half"
    with locked(path), written_whole(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"
    assert not list(tmp_path.glob("*.partial"))


def test_a_lock_keeps_others_out_for_as_long_as_it_is_held(tmp_path):
    path = tmp_path / "journal.jsonl"
    with locked(path), pytest.raises(LockedError, match=r"journal\.jsonl"), locked(path):
        pass
    with locked(path):
        assert not path.exists()


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(OSError), locked(place / "journal.jsonl"):
        pass
    assert list(tmp_path.iterdir()) == [place]

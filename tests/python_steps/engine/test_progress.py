"""Claims about progress: where it is shown, how often, and that it moves within a shard."""

import numpy as np
import pyarrow as pa
import pytest

from python_steps.engine import progress
from python_steps.engine.checkpoints import CheckpointedStep
from python_steps.transformer.batches import batches, map_batches


@pytest.fixture
def clock(monkeypatch):
    """Return a clock, in seconds, that a test moves on."""

    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.delenv(progress.PROGRESS_VARIABLE, raising=False)
    return clock


def work(sizes):
    """Return parts that are as long as `sizes` say, with progress."""
    parts = [range(size) for size in sizes]
    return progress.with_progress(parts, total=sum(sizes), size=len, description="work")


def lines(capsys):
    return capsys.readouterr().err.splitlines()


def test_a_log_gets_a_line_each_ten_seconds_at_first_and_then_each_minute(clock, capsys):
    times = []
    with progress.shown("work", total=400) as shown:
        for second in range(1, 301):
            clock.now = float(second)
            shown.update(second)
            times += [second] * len(lines(capsys))
    assert times == [10, 20, 30, 40, 50, 60, 120, 180, 240, 300]


def test_a_line_says_how_much_how_fast_and_how_long_it_will_still_take(clock, capsys):
    with progress.shown("work", total=10_000, unit="texts") as shown:
        clock.now = 20.0
        shown.update(1_000, note="2 failed")
    assert lines(capsys) == [
        "work: 1,000 of 10,000 texts, 2 failed, 50 texts/s, about 3 min to go",
    ]


def test_progress_moves_within_a_part_and_counts_the_parts_before_it(clock, capsys):
    for _ in work([100, 300]):
        for _ in range(2):
            clock.now += 10
            progress.advance(50)
    assert [line.split(",")[0] for line in lines(capsys)] == [
        "work: 50 of 400 rows",
        "work: 100 of 400 rows",
        "work: 150 of 400 rows",
        "work: 200 of 400 rows",
    ]


def test_a_part_never_counts_for_more_than_it_holds(clock, capsys):
    for _ in work([100, 300]):
        clock.now += 10
        progress.advance(1_000)
    assert [line.split(",")[0] for line in lines(capsys)] == [
        "work: 100 of 400 rows",
        "work: 400 of 400 rows",
    ]


def test_outside_a_part_there_is_nothing_to_advance(clock, capsys):
    list(work([100]))
    clock.now = 100.0
    progress.advance(50)
    progress.skip_part()
    assert lines(capsys) == []


def test_batches_of_texts_report_within_a_shard(clock, capsys):
    tokens = [[1] * 16] * 96

    def forward(batch):
        clock.now += 10
        return np.zeros(len(batch.identifiers), np.float32)

    for _ in work([len(tokens)]):
        for _ in map_batches(
            forward, list(batches(tokens, padding_token=0, device="meta")), device="meta"
        ):
            pass
    assert lines(capsys)[0].startswith("work: 96 of 96 rows")


def test_a_loop_over_rows_reports_each(clock, capsys):
    for part in work([3]):
        for _ in progress.advancing(part):
            clock.now += 10
    assert [line.split(",")[0] for line in lines(capsys)] == [
        "work: 1 of 3 rows",
        "work: 2 of 3 rows",
        "work: 3 of 3 rows",
    ]


def test_shards_that_are_read_back_leave_the_speed_alone(clock, capsys, tmp_path):
    shards = [pa.table({"a": [number] * 100}) for number in range(4)]

    def slow(shard):
        clock.now += 10
        return shard

    step = CheckpointedStep(slow, tmp_path, "salt")
    for shard in shards[:2]:
        step(shard)
    clock.now = 0.0
    for shard in progress.with_progress(shards, total=400, size=len, description="work"):
        step(shard)
    assert lines(capsys) == [
        "work: 300 of 400 rows, 10 rows/s, about 10 s to go",
        "work: 400 of 400 rows, 10 rows/s, about 0 s to go",
    ]


@pytest.mark.parametrize(("wanted", "is_bar"), [("1", True), ("0", False), ("", False)])
def test_a_bar_is_drawn_where_it_is_wanted(monkeypatch, capsys, wanted, is_bar):
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, wanted)
    monkeypatch.setenv("COLUMNS", "70")
    list(work([1, 1]))
    drawn = capsys.readouterr().err
    assert ("100% ▕████████████████████████▏ 2 of 2 rows" in drawn) == is_bar
    assert all(len(line) < 70 for line in drawn.split("\r\x1b[2K"))
    assert drawn.endswith("\r\x1b[2K") == is_bar


def test_another_description_begins_another_piece_of_work(clock, capsys):
    with progress.shown("folds") as shown:
        clock.now = 1_000.0
        shown.update(0, total=10, description="fold 1")
        clock.now += 10
        shown.update(5)
    assert lines(capsys) == ["fold 1: 5 of 10 rows, 0.5 rows/s, about 10 s to go"]


def test_nothing_is_reported_where_it_is_silenced(monkeypatch, capsys):
    monkeypatch.setenv(progress.PROGRESS_VARIABLE, "1")
    with progress.silenced():
        list(work([1, 1]))
    assert capsys.readouterr().err == ""
    list(work([1, 1]))
    assert "work" in capsys.readouterr().err

"""Rows with vectors in files: named by content, whole or not there, opened once."""

import itertools
import pickle
import shutil
from operator import attrgetter

import numpy as np
import pyarrow as pa
import pytest

from python_steps.engine.vectors import store
from tests.python_steps.another_process import called_in_another_process

SCHEMA = pa.schema([("name", pa.large_string()), ("year", pa.int32())])
TABLE = pa.table(
    [["one", "zwei", "三", "four\nlines", None, ""], [1, 2, 3, 4, 5, None]], schema=SCHEMA
)
VECTORS = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def pieces(*cuts):
    bounds = [0, *cuts, len(VECTORS)]
    return [
        (TABLE.slice(start, stop - start), VECTORS[start:stop])
        for start, stop in itertools.pairwise(bounds)
    ]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_rows_come_back_and_no_cutting_changes_them(tmp_path):
    whole = store(pieces(), schema=SCHEMA, folder=tmp_path, ending="test")
    cut = store(pieces(0, 1, 1, 4), schema=SCHEMA, folder=tmp_path, ending="test")
    assert whole.digest == cut.digest
    for rows in (whole, cut):
        assert (rows.count, rows.width) == (6, 3)
        assert rows.table.equals(TABLE)
        assert rows.vectors.tobytes() == VECTORS.tobytes()


def test_other_rows_have_another_digest(tmp_path):
    def digest(table, vectors):
        return store([(table, vectors)], schema=SCHEMA, folder=tmp_path, ending="test").digest

    other = pa.array(["one", "zwei", "三", "four", "lines\nNone", ""], pa.large_string())
    renamed = TABLE.set_column(0, SCHEMA.field(0), other)
    digests = {
        digest(TABLE, VECTORS),
        digest(TABLE, -VECTORS),
        digest(renamed, VECTORS),
        digest(TABLE.slice(1), VECTORS[1:]),
    }
    assert len(digests) == 4


def test_files_are_what_numpy_and_arrow_write(tmp_path):
    rows = store(pieces(2), schema=SCHEMA, folder=tmp_path, ending="test")
    assert rows.stem == str(tmp_path / f"{rows.digest}.test")
    assert np.array_equal(np.load(f"{rows.stem}.npy"), VECTORS)
    with pa.OSFile(f"{rows.stem}.arrow") as source:
        assert pa.ipc.open_file(source).read_all().equals(TABLE)


def test_what_is_stored_twice_is_the_same_to_the_byte_and_not_written_again(tmp_path):
    for folder in ("one", "other", "one"):
        store(pieces(), schema=SCHEMA, folder=tmp_path / folder, ending="test")
        if folder == "one":
            times = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").iterdir()}
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "one").iterdir()}


def test_a_failure_half_way_leaves_no_file(tmp_path):
    def failing():
        yield pieces()[0]
        raise KeyError("killed")

    with pytest.raises(KeyError, match="killed"):
        store(failing(), schema=SCHEMA, folder=tmp_path, ending="test")
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_stored_as_no_rows(tmp_path):
    rows = store([], schema=SCHEMA, folder=tmp_path, ending="test")
    assert (rows.count, rows.vectors.shape, rows.table.num_rows) == (0, (0, 0), 0)
    assert rows.table.schema == SCHEMA


def test_vectors_of_different_widths_are_not_stored_together(tmp_path):
    with pytest.raises(ValueError, match="vectors of 2 numbers follow vectors of 3"):
        store([*pieces(), (TABLE, VECTORS[:, :2])], schema=SCHEMA, folder=tmp_path, ending="test")


def test_rows_are_opened_in_another_process(tmp_path):
    rows = store(pieces(), schema=SCHEMA, folder=tmp_path, ending="test")
    assert len(pickle.dumps(rows)) < 500
    read = called_in_another_process(attrgetter("table"), rows)
    assert read.equals(TABLE)
    read = called_in_another_process(attrgetter("vectors"), rows)
    assert read.tobytes() == VECTORS.tobytes()


def test_a_process_opens_files_once(tmp_path):
    rows = store(pieces(), schema=SCHEMA, folder=tmp_path, ending="test")
    again = pickle.loads(pickle.dumps(rows))
    assert again == rows
    assert again.vectors is rows.vectors


def test_files_that_are_gone_are_named_with_what_to_do(tmp_path):
    rows = store(pieces(), schema=SCHEMA, folder=tmp_path / "cleared", ending="test")
    shutil.rmtree(tmp_path / "cleared")
    with pytest.raises(FileNotFoundError, match=rf"{rows.digest}.*has to run again"):
        _ = rows.vectors

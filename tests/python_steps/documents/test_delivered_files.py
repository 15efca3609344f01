"""Claims about the hashes of delivered files."""

import hashlib
import os

import pyarrow as pa

from python_steps import tables
from python_steps.documents import delivered_files
from python_steps.documents.delivered_files import describe

NOTHING = tables.FILE_STATES.empty_table()


def test_a_file_has_its_size_and_hash(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"{}\n")
    (row,) = describe([str(file), str(file)], NOTHING).to_pylist()
    assert row["bytes"] == 3
    assert row["sha256"] == hashlib.sha256(b"{}\n").hexdigest()
    assert describe([f"file://{file}"], NOTHING)["sha256"].to_pylist() == [row["sha256"]]


def test_what_is_not_on_this_machine_has_none(tmp_path):
    found = describe(["s3a://bucket/a.jsonl", str(tmp_path / "gone")], NOTHING).to_pylist()
    assert [row["sha256"] for row in found] == [None, None]


def test_a_file_is_read_again_only_if_it_was_touched(tmp_path, monkeypatch):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"{}\n")
    first = describe([str(file)], NOTHING)
    read = []
    hashed = delivered_files._hash
    monkeypatch.setattr(delivered_files, "_hash", lambda path: read.append(path) or hashed(path))
    assert describe([str(file)], first) == first
    assert not read
    file.write_bytes(b"[]\n")
    os.utime(file, ns=(1, 1))
    assert describe([str(file)], first)["sha256"] != first["sha256"]
    assert read == [file]


def test_no_file_is_no_row():
    assert describe([], NOTHING) == pa.Table.from_pylist([], schema=tables.FILE_STATES)

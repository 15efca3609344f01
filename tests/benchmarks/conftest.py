"""What all benchmarks measure with and write by."""

import sys
import time

import pytest


@pytest.fixture
def report(capsys):
    """Write what was measured, past pytest's capturing."""

    def write(title, **figures):
        cells = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in figures.items())
        with capsys.disabled():
            sys.stdout.write(f"\n{title}: {cells}\n")

    return write


def processor_seconds(function):
    """Return the processor seconds of this process that a call takes, and its result."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result

"""The command `python -m tests.benchmarks.matching`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import click

from python_steps.similarity import indexes
from tests.benchmarks.matching import report
from tests.benchmarks.matching.methods import METHODS

PROJECT = Path(__file__).parents[3]
PAPERS_PER_PATENT = 0.2
LIBRARIES = ("numpy", "torch", "usearch", "faiss-cpu", "hnswlib", "scikit-learn")
# One variable for each library of matrix products that may be at work.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Several(click.ParamType):
    """Values parted by commas, as a tuple; each is converted by the type of one."""

    def __init__(self, one: click.ParamType) -> None:
        self.one = one
        self.name = one.name

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple:
        """Return what the text holds."""
        if not isinstance(value, str):
            return tuple(value)
        return tuple(self.one.convert(part.strip(), param, ctx) for part in value.split(","))


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--patents",
    type=Several(click.IntRange(min=1)),
    default="10000,100000",
    help="Sizes to measure, parted by commas.",
)
@click.option(
    "--papers", type=click.IntRange(min=1), help="Papers at every size.  [default: a fifth]"
)
@click.option(
    "--methods",
    type=Several(click.Choice(list(METHODS))),
    default=",".join(METHODS),
    help="What to measure, parted by commas.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=os.cpu_count,
    show_default="all cores",
    help="Of each method.",
)
@click.option("--count", type=click.IntRange(min=1), default=10, help="Patents for each paper.")
@click.option(
    "--judged",
    type=click.IntRange(min=1),
    default=2000,
    help="Papers whose exact answer is found by brute force, to tell recall.",
)
@click.option(
    "--searched",
    type=click.IntRange(min=1),
    default=20_000,
    help="Papers given to others, and to settings besides our default; the judged at least.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    help="MiB that our matcher may keep beside the files.  [default: the matcher's]",
)
@click.option(
    "--recall",
    type=click.FloatRange(0, 1),
    help="Recall at which methods are compared.  [default: that of ours-hnsw]",
)
@click.option("--seed", type=int, default=0, help="Another one draws other vectors.")
def main(
    folder: Path,
    patents: tuple[int, ...],
    papers: int | None,
    methods: tuple[str, ...],
    threads: int,
    count: int,
    judged: int,
    searched: int,
    memory: int | None,
    recall: float | None,
    seed: int,
) -> None:
    """
    Measure matching beside other libraries, the published loop and brute force.

    Draws papers and patents into FOLDER, runs each method at each size in a process of its own,
    and writes matching.csv, matching.md and matching.png there. What is in FOLDER already is not
    measured again: after a kill, or with more sizes or methods, the same command goes on; to
    measure something anew, delete its file in FOLDER/cells.

    A size takes 1,540 bytes on disk for each document, twice for patents while one of ours runs.
    A million patents and 200,000 papers take an hour or two on two cores, most of it to build
    indexes; --methods spares some of it.

    \b
    Example:
      python -m tests.benchmarks.matching measured --patents 10000,100000,1000000
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    machine = _machine(folder, threads)
    common = {"threads": threads, "count": count, "seed": seed}
    left_out = {name: why for name in methods if (why := METHODS[name].missing())}
    for name, why in left_out.items():
        click.echo(f"{name} is left out: {why}", err=True)
    peaks = _done(folder / "cells" / "peak.json", {"action": "peak", "threads": threads})["rows"]
    cells, sizes = [], []
    for number in sorted(set(patents)):
        many = papers or max(1, round(PAPERS_PER_PATENT * number))
        size = {"patents": number, "papers": many}
        here = folder / f"{number}x{many}"
        order = {**common, **size, "judged": judged, "searched": searched, "folder": str(here)}
        drawn = _done(here / "corpus_and_truth.json", {**order, "action": "corpus"})
        sizes.append({**size, **drawn["rows"][0]})
        settings = {} if memory is None else {"memory": memory * 2**20}
        for name in methods:
            if name in left_out:
                continue
            path = folder / "cells" / f"{number}x{many}" / f"{name}.json"
            of_method = settings if METHODS[name].is_ours else {}
            order |= {"action": "method", "method": name, "settings": of_method}
            try:
                cells.append(_done(path, order))
            except subprocess.CalledProcessError as error:
                last = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
                left_out[f"{name} at {number:,} patents"] = last[0]
                click.echo(f"{name} at {number:,} patents failed: {last[0]}", err=True)
    of_peaks = {peak["precision"]: peak["a_processor_second"] for peak in peaks}
    rows = report.finished(cells, of_peaks, recall)
    paths = report.write(
        folder,
        rows,
        sizes=sizes,
        machine=machine,
        peaks=peaks,
        left_out=left_out,
        target=recall,
    )
    for path in paths:
        click.echo(path)
    if any(" at " in name for name in left_out):
        sys.exit(1)


def _done(path: Path, order: dict[str, object]) -> dict[str, object]:
    """Return what a process found; let one find it unless the file tells it of the same order."""
    here = {name: value for name, value in order.items() if name != "folder"}
    if path.is_file():
        told = json.loads(path.read_text())
        if told["order"] == here:
            return told
    what = " ".join(str(order[name]) for name in ("method", "patents", "action") if name in order)
    click.echo(f"measuring {what} ...", err=True)
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(order["threads"]))
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.matching.cell", str(path)],
        input=json.dumps(order),
        text=True,
        stderr=subprocess.PIPE,
        cwd=PROJECT,
        env=environment,
        check=True,
    )
    return json.loads(path.read_text())


def _machine(folder: Path, threads: int) -> dict[str, object]:
    """
    Return what the figures hang on, the same for all that lies in the folder.

    Raises
    ------
    click.UsageError
        When figures of another machine lie there.
    """
    machine = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "Python": platform.python_version(),
        **{name: version for name in LIBRARIES if (version := _version(name))},
        "index": f"{indexes.CONNECTIVITY} edges, {indexes.EXPANSION_ADD} held while adding",
    }
    path = folder / "machine.json"
    if path.is_file():
        before = json.loads(path.read_text())
        for name in ("processor", "cores"):
            if before[name] != machine[name]:
                message = (
                    f"{folder} holds figures of another machine ({before[name]}, here "
                    f"{machine[name]}), which say nothing beside these: name another folder"
                )
                raise click.UsageError(message)
    path.write_text(json.dumps(machine, indent=1))
    return machine


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()

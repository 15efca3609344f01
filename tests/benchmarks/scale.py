"""
What millions of delivered works cost from the door to the rules, within the memory limit.

``python -m tests.benchmarks.scale FOLDER 500000 1000000`` writes so many synthetic works of
OpenAlex (gzip, records of the sample's length), builds staging, documents and the definitions of AI
on them, and prints for each size the time, the processor time, the largest resident memory, what
lies on disk, and at the end the exponent by which time grows.
"""

import gzip
import json
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from python_steps.command_line.options import project_folder

WORKS_PER_FILE = 50_000
LAST_MODEL = "int_documents_matched_to_definitions"
SYLLABLES = [a + b for a in "bdfghklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or")]


def synthetic_works(count: int, seed: int) -> Iterator[str]:
    """Give works as lines: those of the sample with ids, titles, authors and years of their own.

    One in fifty says the same as the one before it under another id, as a repository's copy does.
    """
    drawn = random.Random(seed)
    words = ["".join(drawn.choices(SYLLABLES, k=drawn.randint(2, 4))) for _ in range(20_000)]
    templates = list(_templates())
    work: dict = {}
    for number in range(count):
        identifier = seed * 100_000_000 + number
        if number % 50 or not work:
            work = dict(drawn.choice(templates))
            work["title"] = work["display_name"] = " ".join(drawn.choices(words, k=9)).capitalize()
            work["publication_year"] = drawn.randint(1990, 2025)
            work["publication_date"] = f"{work['publication_year']}-{drawn.randint(1, 12):02}-15"
            work["authorships"] = [
                authorship
                | {
                    "author": {"id": f"A{drawn.randrange(10**9)}", "display_name": name},
                    "raw_author_name": name,
                }
                for authorship in work.get("authorships", ())
                for name in [" ".join(drawn.choices(words, k=2)).title()]
            ]
        work["id"] = f"https://openalex.org/W{identifier}"
        work["doi"] = f"https://doi.org/10.5555/scale.{identifier}"
        work["ids"] = {"openalex": work["id"], "doi": work["doi"]}
        yield json.dumps(work)


def _templates() -> Iterator[dict]:
    works = project_folder() / "seeds/sample/openalex/data/jsonl/works"
    for file in sorted(works.glob("*/*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                work = json.loads(line)
            except ValueError:
                continue
            if work.get("title") and work.get("abstract_inverted_index"):
                yield work


def write_works(folder: Path, count: int) -> None:
    """Write works into files of a snapshot; files that are there stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, count, WORKS_PER_FILE)):
        file = folder / f"part_{number:04}.gz"
        if not file.exists():
            partial = file.with_suffix(".partial")
            with gzip.open(partial, "wt", encoding="utf-8", compresslevel=1) as written:
                size = min(WORKS_PER_FILE, count - first)
                written.writelines(f"{line}\n" for line in synthetic_works(size, number + 1))
            partial.rename(file)


@dataclass(frozen=True)
class Cost:
    """What one size took: seconds, bytes of memory and of disk."""

    works: int
    seconds: float
    processor_seconds: float
    memory: int
    delivered: int
    warehouse: int


def measure(folder: Path, count: int) -> Cost:
    """Build staging, documents and definitions on the first works of a folder."""
    delivered, made = folder / "delivered", folder / f"made_{count}"
    write_works(delivered, count)
    files = sorted(delivered.glob("part_*.gz"))[: -(-count // WORKS_PER_FILE)]
    chosen = folder / f"works_{count}"
    shutil.rmtree(chosen, ignore_errors=True)
    chosen.mkdir()
    for file in files:
        os.link(file, chosen / file.name)
    shutil.rmtree(made, ignore_errors=True)
    command = [
        *(sys.executable, "-m", "python_steps", "build", "--papers", f"openalex={chosen}"),
        *("--warehouse", str(made / "warehouse.duckdb"), "--select", f"+{LAST_MODEL}"),
        *("--publication", str(made / "publication")),
    ]
    made.mkdir()
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=(made / "build.log").open("w"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(
        count,
        time.monotonic() - started,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        after.ru_maxrss * 1024,
        sum(file.stat().st_size for file in files),
        (made / "warehouse.duckdb").stat().st_size,
    )


def exponent(costs: list[Cost]) -> float:
    """Return the slope of log seconds over log works, by least squares."""
    x = [math.log(cost.works) for cost in costs]
    y = [math.log(cost.seconds) for cost in costs]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


def main() -> None:
    """Measure the sizes named on the command line, smallest first."""
    folder, *sizes = sys.argv[1:]
    costs = []
    for size in sorted(map(int, sizes)):
        cost = measure(Path(folder), size)
        costs.append(cost)
        sys.stdout.write(
            f"{cost.works:>10,} works: {cost.seconds:,.0f} s, {cost.processor_seconds:,.0f} s of "
            f"processor, {cost.memory / 2**30:.1f} GiB of memory, {cost.delivered / 2**30:.1f} GiB "
            f"delivered, {cost.warehouse / 2**30:.1f} GiB of warehouse\n"
        )
        sys.stdout.flush()
    if len(costs) > 1:
        sys.stdout.write(f"seconds grow by works to the power {exponent(costs):.2f}\n")


if __name__ == "__main__":
    main()

"""Make the tables and the plot of what was measured."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.matching.corpus import WIDTH
from tests.benchmarks.matching.methods import METHODS

Row = dict[str, object]

# Recall at which methods are compared where our index was not measured.
DEFAULT_TARGET = 0.985

COLUMNS = {
    "patents": "patents that papers are matched to",
    "papers": "papers of the corpus",
    "method": "name of the method",
    "setting": "what recall is traded for time by: candidates held (HNSW), lists looked at (IVF)",
    "is_default": "whether this is the setting that stands for our method",
    "is_at_equal_recall": "whether this is the quickest setting that finds as much as ours",
    "used": "what the method that chooses chose",
    "threads": "threads that built and searched",
    "papers_searched": "papers given with this setting; fewer than `papers` means extrapolated",
    "build_seconds": "on the wall: reading, training, adding",
    "build_processor_seconds": "the same of the processor",
    "search_ms": "on the wall, milliseconds a paper",
    "search_processor_ms": "the same of the processor",
    "total_seconds": "on the wall: building, and searching for all papers",
    "total_processor_seconds": "the same of the processor",
    "is_extrapolated": "whether the totals are of fewer papers than all",
    "recall_at_1": "share of judged papers whose first patent is as near as the nearest",
    "recall_at_k": "share of the nearest patents that are found; null where only one is looked for",
    "papers_judged": "papers whose exact answer is known",
    "year_violations": "patents that are earlier than their paper",
    "resident_mib": "largest memory of the process, with pages of mapped files",
    "own_mib": "the same without them",
    "load": "processes that wanted a core meanwhile: where more than cores, times are high",
    "ns_a_pair": "nanoseconds of the processor a pair of paper and eligible patent",
    "peak_share_f32": "operations of these pairs a processor second, as share of a large product's",
    "peak_share_bf16": "the same beside a product in bf16; above one where not all is compared",
    "search_growth": "exponent of the patents by which the processor's time a paper grows",
    "total_growth": "the same with building shared among the papers",
}


def finished(
    cells: Iterable[dict[str, object]], peaks: dict[str, float], target: float | None = None
) -> list[Row]:
    """
    Return a row of :data:`COLUMNS` for each size, method and setting.

    Parameters
    ----------
    cells
        What the processes wrote.
    peaks
        Operations a processor second, in 10^9, by precision.
    target
        Recall at which methods are compared; that of our index unless given.
    """
    rows = [_row(cell["order"], row, peaks) for cell in cells for row in cell["rows"]]
    for size in {(row["patents"], row["papers"]) for row in rows}:
        of_size = [row for row in rows if (row["patents"], row["papers"]) == size]
        wanted = _wanted(of_size, target)
        for method in {row["method"] for row in of_size}:
            _equal_recall([row for row in of_size if row["method"] == method], wanted)
    _grow(rows)
    return sorted(rows, key=_order)


def _row(order: Row, row: Row, peaks: dict[str, float]) -> Row:
    papers = order["papers"]
    a_paper = row["search_seconds"] / row["papers_searched"]
    processor_a_paper = row["search_processor_seconds"] / row["papers_searched"]
    rate = 2e-9 * WIDTH * row["pairs_searched"] / max(row["search_processor_seconds"], 1e-9)
    copied = ["setting", "is_default", "used", "papers_searched", "build_seconds"]
    copied += ["build_processor_seconds", "recall_at_1", "recall_at_k", "papers_judged"]
    copied += ["year_violations", "load"]
    return {
        **{name: order[name] for name in ("patents", "papers", "method", "threads")},
        **{name: row[name] for name in copied},
        "is_at_equal_recall": False,
        "search_ms": 1e3 * a_paper,
        "search_processor_ms": 1e3 * processor_a_paper,
        "total_seconds": row["build_seconds"] + a_paper * papers,
        "total_processor_seconds": row["build_processor_seconds"] + processor_a_paper * papers,
        "is_extrapolated": row["papers_searched"] < papers,
        "resident_mib": row["resident_bytes"] / 2**20,
        "own_mib": None if row["own_bytes"] is None else row["own_bytes"] / 2**20,
        "ns_a_pair": 1e9 * row["search_processor_seconds"] / row["pairs_searched"],
        "peak_share_f32": rate / peaks["f32"],
        "peak_share_bf16": rate / peaks["bf16"],
        "search_growth": None,
        "total_growth": None,
    }


def _order(row: Row) -> tuple:
    method = list(METHODS).index(row["method"])
    return row["patents"], row["papers"], method, row["setting"] or 0


def _wanted(rows: Sequence[Row], target: float | None) -> float:
    ours = [
        row["recall_at_k"] for row in rows if row["method"] == "ours-hnsw" and row["is_default"]
    ]
    if target is None:
        return ours[0] if ours else DEFAULT_TARGET
    return target


def _equal_recall(rows: Sequence[Row], wanted: float) -> None:
    """Mark the quickest of a method's settings that finds enough."""
    enough = [row for row in rows if _finds(row, wanted)]
    if enough:
        min(enough, key=lambda row: row["search_processor_ms"])["is_at_equal_recall"] = True


def _finds(row: Row, wanted: float) -> bool:
    """Whether a row finds enough; one that looks for the nearest alone is not asked."""
    return row["recall_at_k"] is None or row["recall_at_k"] >= wanted


def _grow(rows: Sequence[Row]) -> None:
    """Fit time a paper to a power of the patents, for each method and setting."""
    alike: dict[object, list[Row]] = defaultdict(list)
    for row in rows:
        alike[row["method"], row["setting"]].append(row)
    for group in alike.values():
        total = [row["total_processor_seconds"] / row["papers"] for row in group]
        search = [row["search_processor_ms"] for row in group]
        patents = [row["patents"] for row in group]
        for row in group:
            row["search_growth"] = exponent(patents, search)
            row["total_growth"] = exponent(patents, total)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """Return the slope of log value against log size by least squares; None below two sizes."""
    if len(set(sizes)) < 2 or min(values) <= 0:
        return None
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def at_recall(rows: Sequence[Row], name: str, wanted: float) -> float | None:
    """
    Return what a method takes where it finds exactly so much, between two of its settings.

    Linear in the logarithms of time and of what is missed; None where no setting finds as much.
    """
    points = sorted(
        (math.log(max(1 - row["recall_at_k"], 1e-6)), math.log(row[name]))
        for row in rows
        if row["recall_at_k"] is not None and row[name] > 0
    )
    missed = math.log(max(1 - wanted, 1e-6))
    if not points or points[0][0] > missed:
        return None
    return math.exp(float(np.interp(missed, *zip(*points, strict=True))))


def crossing(rows: Sequence[Row], one: str, other: str) -> tuple[float | None, str]:
    """
    Return where two of ours take the same processor time in all, and a sentence about it.

    Linear in the logarithms between the two sizes where the order of the two changes.
    """
    totals: dict[str, dict[int, float]] = {one: {}, other: {}}
    for row in rows:
        if row["method"] in totals and row["is_default"]:
            totals[row["method"]][row["patents"]] = row["total_processor_seconds"]
    sizes = sorted(totals[one].keys() & totals[other].keys())
    if not sizes:
        return None, f"{one} and {other} were not both measured."
    ahead = [math.log(totals[one][size] / totals[other][size]) for size in sizes]
    for at in range(1, len(sizes)):
        if ahead[at - 1] <= 0 < ahead[at]:
            share = -ahead[at - 1] / (ahead[at] - ahead[at - 1])
            place = sizes[at - 1] * (sizes[at] / sizes[at - 1]) ** share
            return place, f"Up to about {place:,.0f} patents {one} takes less than {other}."
    if ahead[-1] > 0:
        return None, f"{other} takes less than {one} at every size measured, from {sizes[0]:,} on."
    return None, f"{one} takes less than {other} at every size measured, up to {sizes[-1]:,}."


# --- files ----------------------------------------------------------------------------------------


def write(
    folder: Path,
    rows: Sequence[Row],
    *,
    sizes: Sequence[Row],
    machine: Row,
    peaks: Sequence[Row],
    left_out: dict[str, str],
    target: float | None = None,
) -> list[Path]:
    """Write `matching.csv`, `matching.md` and `matching.png`; return their paths."""
    paths = [folder / f"matching.{ending}" for ending in ("csv", "md", "png")]
    with paths[0].open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(row[name]) for name in COLUMNS} for row in rows)
    text = markdown(
        rows, sizes=sizes, machine=machine, peaks=peaks, left_out=left_out, target=target
    )
    paths[1].write_text(text, encoding="utf-8")
    paths[2].write_bytes(plot(rows))
    return paths


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else value


def markdown(
    rows: Sequence[Row],
    *,
    sizes: Sequence[Row],
    machine: Row,
    peaks: Sequence[Row],
    left_out: dict[str, str],
    target: float | None = None,
) -> str:
    """Return the report: a table for each size, growth, crossing, and all settings."""
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    lines = ["# Matching, measured", "", f"{told}.", ""]
    lines += ["Largest matrix product, 10^9 operations:", ""]
    lines += _table(
        ["precision", "a second", "a processor second"],
        [[peak["precision"], *(f"{peak[name]:.0f}" for name in PEAK_NAMES)] for peak in peaks],
    )
    lines += ["", *(f"- Left out: {name}: {why}." for name, why in left_out.items())]
    for size in sizes:
        of_size = [row for row in rows if all(row[name] == size[name] for name in SIZE)]
        lines += _of_size(size, of_size, target)
    lines += ["", "## Growth with the number of patents", ""]
    lines += _growth(rows)
    lines += ["", "## Exact or HNSW", ""]
    exact = ["ours-exact-f32", "ours-exact-bf16"]
    lines += [f"- {crossing(rows, one, 'ours-hnsw')[1]}" for one in exact]
    lines += ["", *_costs(rows)]
    lines += ["", "## Every setting", ""]
    names = ["patents", "method", "setting", "papers_searched", "search_ms"]
    names += ["search_processor_ms", "recall_at_1", "recall_at_k"]
    lines += _table(names, [[_short(row[name]) for name in names] for row in rows])
    lines += ["", "## Columns of matching.csv", ""]
    lines += [f"- `{name}`: {what}" for name, what in COLUMNS.items()]
    return "\n".join(lines) + "\n"


SIZE = ("patents", "papers")
PEAK_NAMES = ("a_second", "a_processor_second")


def _of_size(size: Row, rows: Sequence[Row], target: float | None) -> list[str]:
    wanted = _wanted(rows, target)
    lines = ["", f"## {size['patents']:,} patents, {size['papers']:,} papers", ""]
    lines += [
        f"{size['pairs']:,} pairs of a paper and a patent of its year or later; mean similarity of "
        f"the 1st, 10th and 100th patent {size['similarity_1']:.3f}, {size['similarity_10']:.3f}, "
        f"{size['similarity_100']:.3f}. Of each method the quickest setting that finds "
        f"{wanted:.4f} of the nearest, as ours does; ~ marks what is extrapolated from fewer "
        "papers. Seconds on the wall, and in brackets of the processor.",
        "",
    ]
    heads = ["method", "setting", "build, s", "search, ms a paper", "at equal recall, ms", "in all"]
    heads += ["recall at 1", "recall at k", "earlier patents", "memory, own (mapped too), GiB"]
    heads += ["of the peak in f32, bf16", "load"]
    body = []
    for method in dict.fromkeys(row["method"] for row in rows):
        of_method = [row for row in rows if row["method"] == method]
        row = _shown(of_method)
        exactly = None
        if len(of_method) > 1:
            exactly = at_recall(of_method, "search_processor_ms", wanted)
        body.append(
            [
                method + (f" ({row['used']})" if method == "ours-auto" else ""),
                _short(row["setting"]) + ("" if _finds(row, wanted) else " (finds less)"),
                f"{row['build_seconds']:.1f} ({row['build_processor_seconds']:.1f})",
                f"{row['search_ms']:.3f} ({row['search_processor_ms']:.3f})",
                "" if exactly is None else f"({exactly:.3f})",
                ("~" if row["is_extrapolated"] else "")
                + f"{_time(row['total_seconds'])} ({_time(row['total_processor_seconds'])})",
                _recall(row["recall_at_1"]),
                _recall(row["recall_at_k"]),
                str(row["year_violations"]),
                f"{_gib(row['own_mib'])} ({_gib(row['resident_mib'])})",
                f"{row['peak_share_f32']:.2f}, {row['peak_share_bf16']:.2f}",
                f"{row['load']:.1f}",
            ]
        )
    return lines + _table(heads, body)


def _shown(rows: Sequence[Row]) -> Row:
    """Return the row that stands for a method: ours as it is, others at equal recall."""
    ours = [row for row in rows if row["is_default"] and row["method"].startswith("ours")]
    equal = [row for row in rows if row["is_at_equal_recall"]]
    most = max(rows, key=lambda row: row["recall_at_k"] or 0)
    return (ours or equal or [most])[0]


def _growth(rows: Sequence[Row]) -> list[str]:
    """Fit what stands for each method at every size, so at equal recall where it finds as much."""
    body = []
    for method in dict.fromkeys(row["method"] for row in rows):
        shown = _by_size([row for row in rows if row["method"] == method])
        patents = [row["patents"] for row in shown]
        search = exponent(patents, [row["search_processor_ms"] for row in shown])
        total = exponent(patents, [row["total_processor_seconds"] / row["papers"] for row in shown])
        if search is not None:
            settings = ", ".join(_short(row["setting"]) for row in shown).strip(", ")
            body.append([method, settings, f"{search:.2f}", f"{total:.2f}"])
    if not body:
        return ["One size says nothing about growth."]
    heads = ["method", "settings", "search", "with building"]
    return [
        "The processor's time a paper grows as patents to the power of:",
        "",
        *_table(heads, body),
    ]


def _by_size(rows: Sequence[Row]) -> list[Row]:
    """Return the row that stands for a method at each size."""
    sizes = sorted({row["patents"] for row in rows})
    return [_shown([row for row in rows if row["patents"] == size]) for size in sizes]


def _costs(rows: Sequence[Row]) -> list[str]:
    """Tell costs in comparisons in float32, by which the rule chooses a method."""
    default = {
        (row["method"], row["patents"]): row
        for row in rows
        if row["is_default"] and row["method"] in ("ours-exact-f32", "ours-exact-bf16", "ours-hnsw")
    }
    body = []
    for patents in sorted({size for _, size in default}):
        plain, half, index = (
            default.get((method, patents))
            for method in ("ours-exact-f32", "ours-exact-bf16", "ours-hnsw")
        )
        if plain and index:
            unit = plain["ns_a_pair"] * 1e-9 * math.log(patents)
            body.append(
                [
                    f"{patents:,}",
                    f"{plain['ns_a_pair']:.1f}",
                    f"{half['ns_a_pair'] / plain['ns_a_pair']:.2f}" if half else "",
                    f"{index['build_processor_seconds'] / patents / unit:,.0f}",
                    f"{index['search_processor_ms'] * 1e-3 / unit:,.0f}",
                ]
            )
    if not body:
        return []
    heads = ["patents", "ns to compare a pair in f32", "in bf16, of that"]
    heads += ["adding a patent to the index / ln n, pairs", "a search / ln n, pairs"]
    return ["What the rule goes by, counted in comparisons in f32:", "", *_table(heads, body)]


def _table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *body]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _short(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else f"{value}"


def _recall(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _gib(value: float | None) -> str:
    return "" if value is None else f"{value / 1024:.2f}"


def _time(seconds: float) -> str:
    for unit, length in [("d", 86_400), ("h", 3600), ("min", 60)]:
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


# --- plot -----------------------------------------------------------------------------------------


def plot(rows: Sequence[Row]) -> bytes:
    """Return a PNG of four panels: time a paper, in all, memory, and recall at the largest size."""
    # Not pyplot: it keeps figures, and looks for a screen.
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 9), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2)
    methods = [name for name in METHODS if any(row["method"] == name for row in rows)]
    styles = {
        method: {
            "color": colormaps["tab20"](list(METHODS).index(method) / 20),
            "marker": "o" if method.startswith("ours") else "x",
            "linestyle": "-" if method.startswith("ours") else "--",
        }
        for method in methods
    }
    lines = [
        ("search_processor_ms", "processor time a paper to search, ms"),
        ("total_processor_seconds", "processor time in all, building too, s"),
        ("own_mib", "largest memory of its own, MiB"),
    ]
    for panel, (name, title) in zip(panels.flat, lines, strict=False):
        for method in methods:
            shown = _by_size([row for row in rows if row["method"] == method])
            points = [(row["patents"], row[name]) for row in shown if row[name]]
            if points:
                panel.plot(*zip(*points, strict=True), label=method, **styles[method])
        panel.set(xscale="log", yscale="log", xlabel="patents", title=title)
        panel.grid(alpha=0.3)
    panel = panels.flat[3]
    most = max((row["patents"] for row in rows), default=0)
    for method in methods:
        points = [
            (row["search_processor_ms"], max(1 - row["recall_at_k"], 1e-4))
            for row in rows
            if row["method"] == method and row["patents"] == most and row["recall_at_k"] is not None
        ]
        if points:
            panel.plot(*zip(*points, strict=True), label=method, **styles[method])
    panel.set(xscale="log", yscale="log", xlabel="processor time a paper to search, ms")
    panel.set_title(f"share of the nearest that is missed, {most:,} patents (.0001: none)")
    panel.grid(alpha=0.3)
    figure.legend(*_handles(panels.flat), loc="outside lower center", ncols=6, fontsize="small")
    written = io.BytesIO()
    canvas.print_png(written, metadata={"Software": None})
    return written.getvalue()


def _handles(panels: Iterable[object]) -> tuple[list, list]:
    """Return what a legend of all panels holds, each method once."""
    found = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels = [name for name in METHODS if name in found]
    return [found[label] for label in labels], labels

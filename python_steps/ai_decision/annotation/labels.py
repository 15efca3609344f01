"""Turn answers into labels, and compare them with labels of other sources."""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from python_steps.ai_decision.annotation.answers import Log
from python_steps.ai_decision.annotation.prompt import IS_AI
from python_steps.engine.files import written_whole
from python_steps.errors import AnnotationError


@dataclass(frozen=True)
class Label:
    """A row of the file that `deepinnovation build --labels` takes."""

    source_record_id: str
    is_ai: bool
    label_source: str
    confidence: float | None


@dataclass(frozen=True)
class Agreement:
    """How a model's labels and those of another source compare, on the documents of both.

    Attributes
    ----------
    both, only_model, only_other, neither
        Documents that both, one or none of them call AI.
    kappa
        Cohen's; None where both know one answer only, so that chance alone would agree.
    """

    label_source: str
    both: int
    only_model: int
    only_other: int
    neither: int
    kappa: float | None

    @property
    def documents(self) -> int:
        """How many have both labels."""
        return self.both + self.only_model + self.only_other + self.neither


def labels_of(log: Log, names: Mapping[str, Sequence[str]]) -> list[Label]:
    """Return the labels in a log, without the uncertain ones.

    Parameters
    ----------
    log
        Answers, of any models and prompts.
    names
        Documents of the warehouse by the hash of their text: each one gets the label of its text,
        and texts that are no longer there give none.
    """
    labels = [
        Label(document_id, IS_AI[answer.label], answer.label_source, answer.confidence)
        for answer in log.good().values()
        if IS_AI[answer.label] is not None
        for document_id in names.get(answer.text_hash, ())
    ]
    return sorted(labels, key=lambda label: (label.source_record_id, label.label_source))


def write_labels(labels: Sequence[Label], path: Path) -> None:
    """Write labels as CSV, JSON lines or Parquet, by the ending; a reader never sees half a file.

    Raises
    ------
    AnnotationError
        If the file cannot be written.
    """
    rows = [asdict(label) for label in labels]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            if path.suffix == ".parquet":
                import pyarrow as pa
                import pyarrow.parquet as pq

                pq.write_table(pa.Table.from_pylist(rows), partial)
                return
            with partial.open("w", encoding="utf-8", newline="") as file:
                if path.suffix == ".csv":
                    writer = csv.writer(file, lineterminator="\n")
                    writer.writerow(column.name for column in fields(Label))
                    for label in labels:
                        is_ai = str(label.is_ai).lower()
                        row = [label.source_record_id, is_ai, label.label_source]
                        writer.writerow([*row, label.confidence])
                else:
                    file.writelines(f"{json.dumps(row)}\n" for row in rows)
    except OSError as error:
        raise AnnotationError(
            f"{path} cannot be written ({error.strerror}). The answers are safe in the log: run "
            "again with another --output, and this --log."
        ) from error


def agreements(
    labels: Iterable[Label], others: Iterable[tuple[str, str, bool]], source: str
) -> list[Agreement]:
    """Compare a model's labels with those of every other source.

    Parameters
    ----------
    labels
        Of any models; those of `source` count.
    others
        document_id, label_source and is_ai, as the warehouse has them.
    source
        The label source of the model and prompt.

    Returns
    -------
    list of Agreement
        Label sources with documents in common, those with most first.
    """
    from sklearn.metrics import cohen_kappa_score

    ours = {label.source_record_id: label.is_ai for label in labels if label.label_source == source}
    pairs: dict[str, list[tuple[bool, bool]]] = {}
    for document_id, other, is_ai in others:
        if document_id in ours and other != source:
            pairs.setdefault(other, []).append((ours[document_id], is_ai))
    compared = []
    for other, judged in pairs.items():
        counts = Counter(judged)
        model, theirs = zip(*judged, strict=True)
        is_defined = len({*model, *theirs}) > 1
        kappa = float(cohen_kappa_score(model, theirs)) if is_defined else None
        cells = [counts[cell] for cell in ((True, True), (True, False), (False, True))]
        compared.append(Agreement(other, *cells, counts[False, False], kappa))
    return sorted(compared, key=lambda agreement: (-agreement.documents, agreement.label_source))

"""
Judge every labelled document by classifiers that never saw it, nor another of its title.

The documents are divided into folds by the hash of their titles. For each fold the outer and then
the inner classifier are trained on the other folds, a tenth of which is held back for stopping,
calibration and thresholds; then they judge the fold, the inner one what the outer one accepts.
TF-IDF with logistic regression, trained and calibrated on the same documents, judges it too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from python_steps import tables
from python_steps.ai_decision import network
from python_steps.ai_decision.classifier import (
    DOCUMENT_TYPES,
    LAYERS,
    Classifier,
    load_classifier,
)
from python_steps.ai_decision.evaluation import baselines, measures
from python_steps.ai_decision.folders import read_description, stages
from python_steps.ai_decision.training import examples as training_examples
from python_steps.ai_decision.training import train
from python_steps.ai_decision.training.settings import Settings
from python_steps.engine.files import written_whole
from python_steps.errors import TrainingError
from python_steps.transformer import devices

VALIDATION_SHARE = 10  # one title in ten of the other folds is held back
FINISHED_FILE = "finished.json"
VERSION_KEY = b"deepinnovation.version"


# What judgements are counted by, and no classifier learns from.
GROUPS = ("source_name", "label_source", "sampling_weight", "stratum", "language", "year")


Report = Callable[[str, int, int, dict[str, float]], None]


def cross_validate(
    examples: pa.Table,
    folder: Path,
    outer: Settings,
    inner: Settings,
    *,
    folds: int = 5,
    start_from: Path | None = None,
    precision: str = "auto",
    device: str = "auto",
    report: Report = lambda *_: None,
) -> pa.Table:
    """
    Judge labelled documents, each by what was trained without its fold.

    The cost is that of `folds` trainings of both layers (see :func:`training.train`), and of one
    more pass over the documents of the inner layer in each. What is finished lies in the folder,
    and a run that was killed goes on from there: a finished fold or classifier is not trained
    again, an unfinished one goes on from its checkpoint.

    Parameters
    ----------
    examples
        Columns document_id, document_type, layer (outer, inner), title_key, title, abstract, is_ai,
        label_confidence, sampling_weight, source_name, label_source, stratum, language and year:
        one row per document and layer. Of documents with one `title_key` the first by document_id
        is taken. The examples of the outer layer are judged.
    folder
        Where classifiers and judgements of the folds lie.
    outer, inner
        What decides the classifiers besides their examples; `layer` and `document_types` are set
        here.
    folds
        Parts, at least two.
    start_from
        Folder of an outer classifier to go on from, which must not have seen these documents: one
        that names a source of theirs is refused. The inner one goes on from the fold's outer one.
    precision, device
        As for :func:`training.train`.
    report
        Called with what is being done, finished steps, all steps, and the last measurement.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.FOLD_JUDGEMENTS` in the order of folds and documents.

    Raises
    ------
    TrainingError
        When a fold leaves too few examples of a kind, or `start_from` has seen the documents.
    ModelError
        When a model cannot be loaded.
    """
    if folds < 2:
        message = f"documents are judged in at least 2 folds, got {folds}"
        raise TrainingError(message)
    examples = _one_per_title(examples)
    kinds = tuple(
        kind for kind in DOCUMENT_TYPES if kind in set(examples.column("document_type").to_pylist())
    )
    outer = replace(outer, layer="outer", document_types=kinds)
    inner = replace(inner, layer="inner", document_types=kinds)
    _refuse_what_has_seen(start_from, examples)
    precision = devices.chosen_precision(precision, devices.present_device(device))
    version = version_of_folds(examples, outer, inner, folds, start_from, precision)
    groups = _digest(examples, GROUPS, version)
    folder.mkdir(parents=True, exist_ok=True)
    judged = []
    for fold in range(folds):
        path = folder / f"fold-{fold + 1}.parquet"
        found = _finished(path, groups)
        if found is None:
            run = _Fold(folder, fold, folds, version, precision, device, report)
            found = run.judged(examples, outer, inner, start_from)
            with written_whole(path) as partial:
                pq.write_table(found.replace_schema_metadata({VERSION_KEY: groups}), partial)
        report(f"fold {fold + 1} of {folds}", 1, 1, {})
        judged.append(found.replace_schema_metadata(None))
    return pa.concat_tables(judged)


def predictions(judged: pa.Table) -> pa.Table:
    """
    Return what each judge of the folds says, for :func:`measures.evaluate`.

    Parameters
    ----------
    judged
        Rows of :data:`tables.FOLD_JUDGEMENTS`.

    Returns
    -------
    pa.Table
        Rows of :data:`tables.PREDICTIONS`. Two layers together accept what both do; their
        probability is that of the inner layer where the outer one accepts, else of the outer one.
        The inner layer alone is judged by what the outer one accepts.
    """
    accepted = pc.greater_equal(
        judged.column("outer_probability"), judged.column("outer_threshold")
    )
    confirmed = pc.fill_null(
        pc.greater_equal(judged.column("inner_probability"), judged.column("inner_threshold")),
        False,
    )
    probability = pc.if_else(
        accepted, judged.column("inner_probability"), judged.column("outer_probability")
    )
    year = [measures.year_band(each) for each in judged.column("year").to_pylist()]
    judged = judged.append_column("year_band", pa.array(year, pa.string()))
    outer, tfidf = judged.column("outer_probability"), judged.column("tfidf_probability")
    says_tfidf = pc.greater_equal(tfidf, judged.column("tfidf_threshold"))
    both = pc.and_(accepted, confirmed)
    return pa.concat_tables(
        [
            _predicted(judged, measures.TOGETHER, "inner", probability, both),
            _predicted(judged, measures.OUTER, "outer", outer, accepted),
            _predicted(
                judged, measures.INNER, "inner", judged.column("inner_probability"), confirmed
            ),
            _predicted(judged, baselines.TFIDF, "tfidf", tfidf, says_tfidf),
        ]
    )


def _predicted(
    judged: pa.Table,
    judge: str,
    layer: str,
    probability: pa.ChunkedArray,
    is_accepted: pa.ChunkedArray,
) -> pa.Table:
    """Return the rows of :data:`tables.PREDICTIONS` of one judge, where it has a probability."""
    given = {
        "judge": pa.repeat(judge, judged.num_rows),
        "is_accepted": is_accepted,
        "probability": probability,
        "threshold": judged.column(f"{layer}_threshold"),
        "model_version": judged.column(f"{layer}_model_version"),
    }
    columns = [
        given[name] if name in given else judged.column(name) for name in tables.PREDICTIONS.names
    ]
    return pa.table(columns, schema=tables.PREDICTIONS).filter(pc.is_valid(probability))


class _Fold:
    """The work on one fold."""

    def __init__(
        self,
        folder: Path,
        fold: int,
        folds: int,
        version: str,
        precision: str,
        device: str,
        report: Report,
    ) -> None:
        self.folder, self.fold, self.folds, self.version = folder, fold, folds, version
        self.precision, self.device, self.report = precision, device, report

    def judged(
        self, examples: pa.Table, outer: Settings, inner: Settings, start_from: Path | None
    ) -> pa.Table:
        """Return rows of :data:`tables.FOLD_JUDGEMENTS` for this fold."""
        examples = self._split(examples)
        trained, of_inner = (_of(examples, layer) for layer in LAYERS)
        fold = trained.filter(pc.equal(trained.column("split"), "test"))
        first = self._trained(_taught(trained), outer, start_from)
        of_inner = training_examples.accepted(_taught(of_inner), first)
        second = self._trained(of_inner, inner, Path(first.folder))

        outer_probability = _probabilities(first, fold)
        is_accepted = outer_probability >= first.threshold
        inner_probability = np.full(fold.num_rows, np.nan)
        accepted = fold.filter(pa.array(is_accepted))
        inner_probability[is_accepted] = _probabilities(second, accepted)
        words = baselines.judge(trained)
        count = fold.num_rows
        given: dict[str, Any] = {
            "fold": pa.repeat(pa.scalar(self.fold + 1, pa.int32()), count),
            "year": pc.cast(fold.column("year"), pa.int32()),
            "sampling_weight": pc.fill_null(fold.column("sampling_weight"), 1.0),
            "outer_probability": outer_probability,
            "outer_threshold": pa.repeat(first.threshold, count),
            "outer_model_version": pa.repeat(first.model_version, count),
            "inner_probability": pa.array(inner_probability, mask=~is_accepted),
            "inner_threshold": pa.repeat(second.threshold, count),
            "inner_model_version": pa.repeat(second.model_version, count),
        }
        for name in ("probability", "threshold", "model_version"):
            column = words.column(name)
            given[f"tfidf_{name}"] = column if len(column) else pa.nulls(count, column.type)
        columns = [
            given[name] if name in given else fold.column(name)
            for name in tables.FOLD_JUDGEMENTS.names
        ]
        return pa.table(columns, schema=tables.FOLD_JUDGEMENTS)

    def _split(self, examples: pa.Table) -> pa.Table:
        """Return the examples with the split that they have in the work on this fold."""
        splits = []
        for key in examples.column("title_key").to_pylist():
            digest = hashlib.md5(key.encode()).digest()
            # From other bytes than those by which a warehouse parts training from test.
            if int.from_bytes(digest[8:12]) % self.folds == self.fold:
                splits.append("test")
            else:
                held = int.from_bytes(digest[12:16]) % VALIDATION_SHARE == 0
                splits.append("validation" if held else "train")
        if "split" in examples.column_names:
            examples = examples.drop_columns("split")
        return examples.append_column("split", pa.array(splits, pa.string()))

    def _trained(
        self, examples: pa.Table, settings: Settings, start_from: Path | None
    ) -> Classifier:
        """Train a classifier, unless it lies there finished."""
        folder = self.folder / f"fold-{self.fold + 1}-{settings.layer}"
        marker = folder / FINISHED_FILE
        named = f"fold {self.fold + 1} of {self.folds}, {settings.layer} layer"
        try:
            is_finished = json.loads(marker.read_text())["version"] == self.version
        except (OSError, ValueError, KeyError):
            is_finished = False
        if not is_finished:
            marker.unlink(missing_ok=True)
            train.train(
                examples,
                folder,
                settings,
                start_from=start_from,
                precision=self.precision,
                device=self.device,
                report=lambda *progress: self.report(named, *progress),
            )
            marker.write_text(json.dumps({"version": self.version}))
        return load_classifier(folder, precision=self.precision, device=self.device)


def _one_per_title(examples: pa.Table) -> pa.Table:
    """Return one example per layer and title, in the order of documents."""
    examples = examples.sort_by([("layer", "ascending"), ("document_id", "ascending")])
    seen, kept = set(), []
    keys = (examples.column(name).to_pylist() for name in ("layer", "document_type", "title_key"))
    for row, key in enumerate(zip(*keys, strict=True)):
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return examples.take(pa.array(kept, pa.int64()))


def _refuse_what_has_seen(start_from: Path | None, examples: pa.Table) -> None:
    if start_from is None:
        return
    known = {
        row["source_name"]
        for stage in stages(read_description(start_from))
        for row in stage.get("examples", [])
    }
    seen = sorted(known & set(examples.column("source_name").to_pylist()))
    if seen:
        message = (
            f"{start_from} was trained on {', '.join(seen)}, which the folds are to judge: start "
            "from one that was trained on other sources"
        )
        raise TrainingError(message)


def version_of_folds(
    examples: pa.Table,
    outer: Settings,
    inner: Settings,
    folds: int,
    start_from: Path | None,
    precision: str,
) -> str:
    """Return a name for everything that decides the classifiers."""
    started = None if start_from is None else read_description(start_from)["sha256"]
    base, _ = network.load_base(outer.base_model)
    bases = network.content_hash(base)
    decisive = [asdict(outer), asdict(inner), folds, started, bases, precision]
    names = ["document_id", "layer", "title_key", "title", "abstract", "is_ai", "label_confidence"]
    names += ["categories"] if outer.category_weight else []
    return _digest(examples, names, json.dumps(decisive, sort_keys=True))


def _digest(examples: pa.Table, names: Sequence[str], first: str) -> str:
    digest = hashlib.sha256(first.encode())
    for row in zip(*(examples.column(name).to_pylist() for name in names), strict=True):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _finished(path: Path, version: str) -> pa.Table | None:
    """Return the judgements of a finished fold, if they are those of this version."""
    try:
        found = pq.read_table(path)
    except (OSError, pa.ArrowInvalid):
        return None
    stored = (found.schema.metadata or {}).get(VERSION_KEY, b"").decode()
    return found if stored == version else None


def _of(examples: pa.Table, layer: str) -> pa.Table:
    return examples.filter(pc.equal(examples.column("layer"), layer))


def _taught(examples: pa.Table) -> pa.Table:
    """Return what may train: all but the fold itself."""
    return examples.filter(pc.not_equal(examples.column("split"), "test"))


def _probabilities(classifier: Classifier, documents: pa.Table) -> np.ndarray:
    """Return the calibrated probabilities of documents: float64 of shape [documents]."""
    texts = (documents.column(name).to_pylist() for name in ("title", "abstract"))
    return classifier.probabilities(classifier.logits(*texts))

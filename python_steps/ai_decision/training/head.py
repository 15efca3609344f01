"""
Train a head alone: logistic regression on what an encoder that is trained already says of texts.

Some thousand careful labels are too few to move the weights of an encoder, and enough for the
linear unit on top of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from python_steps.ai_decision.folders import DESCRIPTION_FILE
from python_steps.ai_decision.network import ADAPTER_FILES, ENCODER_FILE
from python_steps.ai_decision.training.examples import confidence_of, truth_of
from python_steps.ai_decision.training.folder import write_head

if TYPE_CHECKING:
    from python_steps.ai_decision.classifier import LoadedClassifier

# Inverse strengths of the penalty that are tried, and the parts in which they are.
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0)
PARTS = 5


def train_head(loaded: LoadedClassifier, examples: pa.Table) -> tuple[dict[str, float], np.ndarray]:
    """
    Fit the head of a network to examples, over `MOST_LAYERS_READ` layers, and put it there.

    The penalty of the weights is the strongest under which logistic regression on four fifths of
    the examples is within one standard error of the least log loss of the fifth that is left
    (Breiman et al. 1984): weaker ones fit these examples as well and forget more of what the
    encoder learned from others. The cost is that of one pass of the encoder over the examples.

    Parameters
    ----------
    loaded
        Its network gets the head.
    examples
        Columns title, abstract, is_ai and label_confidence.

    Returns
    -------
    told
        `strength`: the inverse of the penalty; `loss`: the mean log loss of the parts left out, in
        nats.
    logits
        Of each example by the fit that left it out: float64 of shape [examples].
    """
    import torch
    from threadpoolctl import threadpool_limits

    texts = (examples.column(name).to_pylist() for name in ("title", "abstract"))
    vectors = loaded.vectors(*texts)
    head = torch.nn.Linear(vectors.shape[1] * vectors.shape[2], 1)
    loaded.network.head = head.to(loaded.device)
    read = loaded.network.read(torch.from_numpy(vectors).to(loaded.device)).cpu().numpy()
    truth, weights = truth_of(examples), confidence_of(examples)
    with threadpool_limits(1):  # the order of a sum must not follow the number of cores
        left_out = {each: _left_out(read, truth, weights, each) for each in STRENGTHS}
        losses = {each: _losses(truth, scores) for each, scores in left_out.items()}
        strength = _strongest_penalty(losses, weights)
        fitted = _fitted(read, truth, weights, strength)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(fitted.coef_))
        head.bias.copy_(torch.from_numpy(fitted.intercept_))
    loss = float(np.average(losses[strength], weights=weights))
    return {"strength": strength, "loss": loss}, left_out[strength]


def write_head_on(start: Path | None, loaded: LoadedClassifier, folder: Path) -> None:
    """Write a head, and beside it what was trained of the encoder that it was trained on."""
    for name in (DESCRIPTION_FILE, *ADAPTER_FILES, ENCODER_FILE):
        (folder / name).unlink(missing_ok=True)
    for name in (*ADAPTER_FILES, ENCODER_FILE):
        if start is not None and (start / name).is_file():
            shutil.copyfile(start / name, folder / name)
    write_head(loaded.network, folder)


def _left_out(
    read: np.ndarray, truth: np.ndarray, weights: np.ndarray, strength: float
) -> np.ndarray:
    """Return the logit of each example by a fit without its part."""
    part = np.arange(len(truth)) % PARTS
    logits = np.empty(len(truth))
    for each in range(PARTS):
        here = part == each
        fitted = _fitted(read[~here], truth[~here], weights[~here], strength)
        logits[here] = fitted.decision_function(read[here])
    return logits


def _losses(truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the log loss of each logit, in nats."""
    return np.logaddexp(0, np.where(truth, -logits, logits))


def _strongest_penalty(losses: dict[float, np.ndarray], weights: np.ndarray) -> float:
    """Return the least strength whose mean loss is within one standard error of the least one."""
    means = {each: float(np.average(found, weights=weights)) for each, found in losses.items()}
    best = min(means, key=lambda each: (means[each], each))
    spread = np.average((losses[best] - means[best]) ** 2, weights=weights)
    error = float(np.sqrt(spread * (weights**2).sum())) / weights.sum()
    return min(each for each, mean in means.items() if mean <= means[best] + error)


def _fitted(read: np.ndarray, truth: np.ndarray, weights: np.ndarray, strength: float):  # noqa: ANN202
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=5000).fit(
        read, truth, sample_weight=weights / weights.mean()
    )

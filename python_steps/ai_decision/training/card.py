"""Write the model card of a classifier."""

from __future__ import annotations

from typing import Any

from python_steps.ai_decision import classifier


def write_card(name: str, told: dict[str, Any]) -> str:
    """Return the model card: what a reader asks before trusting the classifier."""
    stages = list(classifier.stages(told))
    commands = "\n".join(
        f"    {stage['command'] or 'python_steps.training.train'}" for stage in stages
    )
    examples = "\n\n".join(_table_of_examples(stage["examples"]) for stage in stages)
    measured = told["validation"]
    kinds = " and ".join(f"{kind}s" for kind in told["document_types"])
    chosen = (
        "has the best expected F1 on validation"
        if told["settings"]["recall"] is None
        else f"is expected to keep {told['settings']['recall']:.0%} of new AI documents"
    )
    languages = "\n".join(
        f"| {row['language']} | {row['examples']:,} | {row['positives']:,} | {row['f1']:.3f} "
        f"| {'yes' if row['is_judged_well_enough'] else 'no'} |"
        for row in told["validation_by_language"]
    )
    files = "\n".join(f"- `{file}` {digest}" for file, digest in sorted(told["sha256"].items()))
    settings = ", ".join(f"{key} {value}" for key, value in sorted(told["settings"].items())
                         if key not in {"layer", "document_types", "base_model"})  # fmt: skip
    figures = ("precision", "recall", "f1", "average_precision", "calibration_error")
    row = " | ".join(f"{measured[figure]:.3f}" for figure in figures)
    return f"""# {name}

Judges whether {kinds} are about AI, in the {told["layer"]} layer of deepinnovation. Fine-tuned from
`{told["base_model"]}` (SHA-256 of its weights {told["base_sha256"][:16]}…) on the records below.
Reads title and abstract, letters only, at most {told["maximum_tokens"]} tokens.

Repeat with:

{commands}

## Validation

Of documents that did not train it, but by which training was stopped, calibrated and thresholded:
temperature {told["temperature"]:.3f}, bias {told["bias"]:.3f}; threshold {told["threshold"]:.4f}
which {chosen}. For figures on documents that decided nothing see the
mart `classifier_evaluation`.

| documents | AI | precision | recall | F1 | average precision | ECE |
|---|---|---|---|---|---|---|
| {measured["documents"]:,} | {measured["positives"]:,} | {row} |

| language | documents | AI | F1 | judged well enough |
|---|---|---|---|---|
{languages}

## Examples

Of each stage of training, the first one first.

{examples}

## Settings

{settings}.

## Files (SHA-256)

{files}
"""


def _table_of_examples(examples: list[dict[str, Any]]) -> str:
    rows = "\n".join(
        f"| {row['split']} | {row['source_name']} | {row['label_source']} "
        f"| {'AI' if row['is_ai'] else 'not AI'} | {row['count_all']:,} |"
        for row in examples
    )
    return f"| split | source | label source | label | documents |\n|---|---|---|---|---|\n{rows}"

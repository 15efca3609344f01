"""Write the model card of a classifier."""

from __future__ import annotations

from typing import Any

from python_steps.ai_decision.folders import stages


def write_card(name: str, card: dict[str, Any]) -> str:
    """Return the model card: what a reader asks before trusting the classifier."""
    trainings = list(stages(card))
    commands = "\n".join(
        f"    {stage['command'] or 'python_steps.ai_decision.training.train.train'}"
        for stage in trainings
    )
    examples = "\n\n".join(_table_of_examples(stage["examples"]) for stage in trainings)
    kinds = " and ".join(f"{kind}s" for kind in card["document_types"])
    languages = card["settings"].get("for_languages")
    kinds += f" in the language {' or '.join(languages)}" if languages else ""
    files = files_of_card(card)
    return f"""# {name}

Judges whether {kinds} are about AI, in the {card["layer"]} layer of deepinnovation. Fine-tuned from
`{card["base_model"]}` (SHA-256 of its weights {card["base_sha256"][:16]}…) on the records below.
Reads title and abstract, letters only, at most {card["maximum_tokens"]} tokens.

Repeat with:

{commands}

{_validation(card)}

## Examples

Of each stage of training, the first one first.

{examples}

## Settings

{_settings(card["settings"])}.

## Files (SHA-256)

{files}
"""


def files_of_card(card: dict[str, Any]) -> str:
    """Return the list of files with their hashes."""
    return "\n".join(f"- `{file}` {digest}" for file, digest in sorted(card["sha256"].items()))


def _validation(card: dict[str, Any]) -> str:
    """Return the section on the documents that stopped, calibrated and thresholded the training."""
    recall = card["settings"]["recall"]
    kept = f"which is expected to keep {recall:.1%} of new AI documents"
    chosen = {
        "balanced": kept if card["layer"] == "outer" else "of the best expected F1",
        "inclusive": kept,
    }
    rows = "\n".join(
        f"| {point}: {card['thresholds'][point]:.4f}, {chosen[point]} | {_figures(measured)} |"
        for point, measured in card["validation"].items()
    )
    return f"""## Validation

{_validated_by(card)}:
temperature {card["temperature"]:.3f}, bias {card["bias"]:.3f}. Documents of a sample by strata
count as often as they stand for others. For figures on documents that decided nothing see the
mart `classifier_evaluation`.

| operating point | documents | AI | precision | recall | F1 | average precision | ECE |
|---|---|---|---|---|---|---|---|
{rows}

| language | documents | AI | F1 | judged well enough |
|---|---|---|---|---|
{_rows_of_languages(card["validation_by_language"])}"""


def _validated_by(card: dict[str, Any]) -> str:
    if card["settings"]["method"] == "head":
        return (
            "Of the validation split, and of the training split, each fifth of it judged by a head "
            "that\ndid not learn from it. It is calibrated and thresholded on both"
        )
    return (
        "Of documents that did not train it, but by which training was stopped, calibrated and "
        "thresholded"
    )


def _figures(measured: dict[str, Any]) -> str:
    names = ("precision", "recall", "f1", "average_precision", "calibration_error")
    shares = " | ".join(f"{measured[name]:.3f}" for name in names)
    return f"{measured['documents']:,} | {measured['positives']:,} | {shares}"


def _settings(settings: dict[str, Any]) -> str:
    said_above = {"layer", "document_types", "base_model"}
    rest = sorted(item for item in settings.items() if item[0] not in said_above)
    return ", ".join(f"{key} {value}" for key, value in rest)


def _rows_of_languages(languages: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"| {row['language']} | {row['examples']:,} | {row['positives']:,} | {row['f1']:.3f} "
        f"| {'yes' if row['is_judged_well_enough'] else 'no'} |"
        for row in languages
    )


def _table_of_examples(examples: list[dict[str, Any]]) -> str:
    rows = "\n".join(
        f"| {row['split']} | {row['source_name']} | {row['label_source']} "
        f"| {'AI' if row['is_ai'] else 'not AI'} | {row['count_all']:,} |"
        for row in examples
    )
    return f"| split | source | label source | label | documents |\n|---|---|---|---|---|\n{rows}"

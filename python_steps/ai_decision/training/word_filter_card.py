"""Write the card of a word filter."""

from __future__ import annotations

from typing import Any

from python_steps.ai_decision.training.card import files_of_card


def write_card(name: str, description: dict[str, Any]) -> str:
    """Return the card: what a reader asks before trusting the filter."""
    settings = description["settings"]
    kind = description["document_type"]
    return f"""# {name}

Refuses {kind}s by their words alone, before the layers of deepinnovation judge them: logistic
regression on the hashed words of title and abstract, letters only. Judges {kind}s that have an
abstract, in these languages: {", ".join(description["languages"])}.

It refuses a score below {description["threshold"]:.4f}, which is expected to keep
{settings["recall"]:.2%} of what both layers accept. Score and threshold are in nats.

It learned what {" and ".join(f"`{each}`" for each in description["taught_by"])} decided of the
{kind}s below. It holds no text: {settings["places"]:,} weights in 16 bits.

Repeat with:

    {description["command"] or "python_steps.ai_decision.training.word_filter.train"}

## Test

Of the split `test`, which taught nothing:

{_table(description["test"])}

## Examples

The {kind}s that taught it and its threshold, each scored by a fit that left it out:

{_table(description["validation"])}

## Files (SHA-256)

{files_of_card(description)}
"""


def _table(rows: list[dict[str, Any]]) -> str:
    lines = "\n".join(
        f"| {row['source'] or 'all'} | {row['documents']:,} | {_share(row['refused'], row)} "
        f"| {row['accepted_by_both_layers']:,} | {row['kept']:,} | {_recall(row)} |"
        for row in rows
    )
    return f"""| source | documents | refused | both layers accept | of these kept | recall |
|---|---|---|---|---|---|
{lines}"""


def _share(count: int, row: dict[str, Any]) -> str:
    return f"{count / row['documents']:.3f}" if row["documents"] else ""


def _recall(row: dict[str, Any]) -> str:
    if row["recall_low"] is None:
        return ""
    share = row["kept"] / row["accepted_by_both_layers"]
    return f"{share:.4f} [{row['recall_low']:.4f}, {row['recall_high']:.4f}]"

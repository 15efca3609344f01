"""What `deepinnovation annotate` prints: intent, estimate and result."""

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from python_steps.ai_decision.annotation.answers import Answer, Log, label_source
from python_steps.ai_decision.annotation.asking import REMEDIES
from python_steps.ai_decision.annotation.documents import Document, Excerpt
from python_steps.ai_decision.annotation.labels import Label, agreements
from python_steps.ai_decision.annotation.prompt import IS_AI, SCHEMA, Prompt
from python_steps.ai_decision.annotation.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console


BYTES_PER_TOKEN = 4
TOKENS_OF_AN_ANSWER = 80


def show_intent(
    excerpt: Excerpt,
    waiting: list[Document],
    prompt: Prompt,
    settings: Settings,
    console: "Console",
) -> None:
    """Print what will leave the machine, before it does."""
    lines = [drawn_in_words(excerpt, waiting, prompt, settings)]
    if waiting:
        lines.append(f"Sending the title and abstract of {len(waiting):,} to {settings.host}.")
        lines.append(f"Every answer is added to {settings.log}.")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def drawn_in_words(
    excerpt: Excerpt, waiting: list[Document], prompt: Prompt, settings: Settings
) -> str:
    """Say how many documents are drawn, and how many texts are still unanswered."""
    drawn = (
        f"{len(excerpt.sample):,} of {excerpt.accepted:,} documents that the outer layer accepts"
    )
    asked = f"prompt {prompt.version}, model {settings.model or 'not named'}"
    return f"Drawn: {drawn}. To ask about: {len(waiting):,} texts ({asked})."


def show_estimate(
    excerpt: Excerpt,
    waiting: list[Document],
    log: Log,
    prompt: Prompt,
    settings: Settings,
    console: "Console",
) -> None:
    """Print the estimated cost: from answers in the log, else by a rule of thumb."""
    tokens_in, tokens_out, method = _expected_tokens(waiting, log, prompt, settings)
    cost = settings.cost(tokens_in, tokens_out)
    priced = "unknown: give --price-in and --price-out" if cost is None else _money(cost)
    lines = [
        drawn_in_words(excerpt, waiting, prompt, settings),
        f"About {tokens_in:,} tokens to read and {tokens_out:,} to write ({method}).",
        f"Cost: {priced}.",
        "Nothing was sent.",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _expected_tokens(
    waiting: list[Document], log: Log, prompt: Prompt, settings: Settings
) -> tuple[int, int, str]:
    """Return the tokens to expect, read and written, and how they were estimated."""
    measured = [
        answer
        for answer in log.answers
        if (answer.model, answer.prompt_version) == (settings.model, prompt.version)
        and answer.tokens_in is not None
        and answer.tokens_out is not None
    ]
    if measured:
        tokens_in, tokens_out = (
            round(len(waiting) * sum(column) / len(measured))
            for column in zip(*((a.tokens_in, a.tokens_out) for a in measured), strict=True)
        )
        return tokens_in, tokens_out, f"the mean of {len(measured):,} answers in the log"
    schema = len(json.dumps(SCHEMA))
    sent = sum(
        schema
        + sum(
            len(message["content"].encode())
            for message in prompt.messages(d.document_type, d.title, d.abstract)
        )
        for d in waiting
    )
    tokens_in, tokens_out = sent // BYTES_PER_TOKEN, len(waiting) * TOKENS_OF_AN_ANSWER
    method = (
        f"a token per {BYTES_PER_TOKEN} bytes sent, {TOKENS_OF_AN_ANSWER} tokens per answer; a "
        "reasoning model writes many more: ask about a few with --limit 20 first, and this "
        "estimate uses them"
    )
    return tokens_in, tokens_out, method


def show_result(
    answers: Sequence[Answer],
    labels: Sequence[Label],
    excerpt: Excerpt,
    prompt: Prompt,
    settings: Settings,
    console: "Console",
) -> None:
    """Print the answers, their cost, their agreement with other labels, and the next command."""
    from rich.table import Table

    counts = Counter(answer.label if answer.is_good else answer.error for answer in answers)
    table = Table("answers in this run", title="Annotation", title_justify="left")
    table.add_column("number", justify="right")
    for kind in (*IS_AI, *REMEDIES):
        if counts[kind] or kind in IS_AI:
            table.add_row(kind.replace("_", " "), f"{counts[kind]:,}")
    for measure in ("tokens_in", "tokens_out"):
        known = [value for answer in answers if (value := getattr(answer, measure)) is not None]
        table.add_row(measure.replace("_", " "), f"{sum(known):,}" if known else "unknown")
    costs = [answer.cost for answer in answers if answer.cost is not None]
    table.add_row("cost", _money(sum(costs)) if costs else "unknown")
    console.print(table)

    _show_agreement(labels, excerpt, label_source(settings.model, prompt.version), console)
    failed = sum(not answer.is_good for answer in answers)
    lines = []
    if failed:
        lines.append(f"{failed:,} failed; run the same command to try them again.")
    if labels:
        lines += [
            f"{len(labels):,} labels: {settings.output}",
            f"Next: repeat the build with --labels {shlex.quote(str(settings.output))}",
        ]
    else:
        lines.append("No labels yet.")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _show_agreement(
    labels: Sequence[Label], excerpt: Excerpt, source: str, console: "Console"
) -> None:
    """Print how the labels agree with those of each other source, if any."""
    from rich.markup import escape
    from rich.table import Table

    compared = agreements(labels, excerpt.labels, source)
    if not compared:
        return
    table = Table("label source", title=f"Agreement with {escape(source)}", title_justify="left")
    for column in ("documents", "both AI", "only model", "only source", "neither", "kappa"):
        table.add_column(column, justify="right")
    for row in compared:
        cells = (row.documents, row.both, row.only_model, row.only_other, row.neither)
        kappa = "undefined" if row.kappa is None else f"{row.kappa:.3f}"
        table.add_row(escape(row.label_source), *(f"{cell:,}" for cell in cells), kappa)
    console.print(table)


def _money(amount: float) -> str:
    """Return an amount in the currency of the prices, small ones with more digits."""
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.4f}"

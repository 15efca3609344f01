"""What `deepinnovation annotate` does: draw a sample, ask about it, and write labels."""

import asyncio
from itertools import count, islice
from typing import TYPE_CHECKING

from python_steps.ai_decision.annotation.answers import Log
from python_steps.ai_decision.annotation.asking import REMEDIES, ask_all
from python_steps.ai_decision.annotation.documents import Document, Excerpt
from python_steps.ai_decision.annotation.labels import labels_of, write_labels
from python_steps.ai_decision.annotation.prompt import Prompt
from python_steps.ai_decision.annotation.settings import Settings
from python_steps.command_line.annotation_report import show_estimate, show_intent, show_result
from python_steps.engine.progress import shown
from python_steps.errors import STOPPED, AnnotationError
from python_steps.warehouse.document_sample import read_excerpt
from python_steps.warehouse.places import Tables

if TYPE_CHECKING:
    from rich.console import Console


def draw_and_ask(
    tables: Tables, settings: Settings, *, is_dry_run: bool, console: "Console"
) -> None:
    """Draw, ask, write labels and report; a run that was stopped continues where it left off.

    Parameters
    ----------
    tables
        The warehouse.
    settings
        What to ask, of whom, and where the answers go.
    is_dry_run
        Only say what would be asked and what it would cost. Nothing is sent or written.
    console
        Where to print.

    Raises
    ------
    InputError
        If warehouse or log cannot be read.
    AnnotationError
        If asking was stopped by failures or by hand, or nothing was answered. Answers so far are
        in the log and the labels all the same.
    """
    prompt = Prompt.read()
    log = Log.read(settings.log)
    hashes = {answer.text_hash for answer in log.answers if answer.is_good}
    excerpt = read_excerpt(tables, settings.sample, settings.seed, hashes)
    if is_dry_run:
        waiting = _unanswered(excerpt, log, prompt, settings)
        show_estimate(excerpt, waiting, log, prompt, settings, console)
        return
    failure = None
    with Log.open(settings.log) as log:
        waiting = _unanswered(excerpt, log, prompt, settings)
        before = len(log.answers)
        show_intent(excerpt, waiting, prompt, settings, console)
        try:
            if waiting:
                asked = count(1)
                with shown("Asking", total=len(waiting), unit="texts") as progress:

                    def report(failed: int) -> None:
                        progress.update(next(asked), note=f"{failed:,} failed" if failed else "")

                    asyncio.run(ask_all(waiting, prompt, settings, log, report))
        except AnnotationError as error:
            failure = error
        except KeyboardInterrupt:
            failure = AnnotationError("Stopped. The same command continues from here.", STOPPED)
        answers = log.answers[before:]
        labels = labels_of(log, excerpt.names)
        if labels:
            write_labels(labels, settings.output)
        show_result(answers, labels, excerpt, prompt, settings, console)
    if failure:
        raise failure
    if answers and not any(answer.is_good for answer in answers):
        last = answers[-1]
        raise AnnotationError(f"No answer was usable: {last.error}. {REMEDIES[last.error]}")


def _unanswered(excerpt: Excerpt, log: Log, prompt: Prompt, settings: Settings) -> list[Document]:
    """Return one document for each text that has no judgement yet."""
    good = log.good()
    waiting = {}
    for document in excerpt.sample:
        if (document.text_hash, settings.model, prompt.version) not in good:
            waiting.setdefault(document.text_hash, document)
    return list(islice(waiting.values(), settings.limit))

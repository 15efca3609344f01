"""`deepinnovation annotate`: ask a language model for labels."""

import asyncio
import contextlib
import json
import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from tqdm import tqdm

from python_steps.ai_decision.annotation.answers import Log
from python_steps.ai_decision.annotation.asking import REMEDIES, ask_all
from python_steps.ai_decision.annotation.documents import Document, Excerpt
from python_steps.ai_decision.annotation.labels import labels_of, write_labels
from python_steps.ai_decision.annotation.prompt import Prompt
from python_steps.ai_decision.annotation.settings import Settings
from python_steps.command_line.annotation_report import show_estimate, show_intent, show_result
from python_steps.command_line.console import output_console
from python_steps.command_line.options import (
    Documented,
    chosen_warehouse,
    debug_option,
    warehouse_option,
)
from python_steps.engine import progress
from python_steps.engine.progress import PROGRESS_VARIABLE
from python_steps.errors import STOPPED, AnnotationError
from python_steps.warehouse.document_sample import read_excerpt
from python_steps.warehouse.places import Tables, tables_at

if TYPE_CHECKING:
    from rich.console import Console


def _bar(total: int) -> tqdm:
    """Return a progress bar on stderr; a file gets a line of it each minute."""
    wanted = os.environ.get(PROGRESS_VARIABLE, "")
    is_terminal = wanted == "1" or sys.stderr.isatty()
    pause = 0.1 if is_terminal else progress.SECONDS_BETWEEN_PLAIN_LINES
    return tqdm(
        total=total,
        desc="Asking",
        unit=" texts",
        disable=wanted == "0",
        file=sys.stderr,
        mininterval=pause,
        delay=0 if is_terminal else pause,
    )


def draw_and_ask(
    tables: Tables, settings: Settings, *, is_dry_run: bool, console: "Console"
) -> None:
    """Draw, ask, write labels and report; a run that was stopped goes on where it was.

    Parameters
    ----------
    tables
        The warehouse.
    settings
        What to ask, of whom, and where the answers go.
    is_dry_run
        Only say what would be asked and what it would cost. Nothing is sent or written.
    console
        Where to tell it.

    Raises
    ------
    InputError
        If warehouse or log cannot be read.
    AnnotationError
        If asking was stopped by failures or by hand, or nothing was answered. What was answered
        is in the log and the labels all the same.
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
                with _bar(len(waiting)) as bar:

                    def report(failed: int) -> None:
                        bar.set_postfix(failed=failed, refresh=False)
                        bar.update()

                    asyncio.run(ask_all(waiting, prompt, settings, log, report))
        except AnnotationError as error:
            failure = error
        except KeyboardInterrupt:
            failure = AnnotationError("Stopped. The same command goes on from here.", STOPPED)
        answers = log.answers[before:]
        labels = labels_of(log, excerpt.names)
        if labels:
            write_labels(labels, settings.output)
        show_result(answers, labels, excerpt, prompt, settings, console)
    if failure:
        raise failure
    if answers and not any(answer.is_good for answer in answers):
        last = answers[-1]
        raise AnnotationError(f"No answer is good: {last.error}. {REMEDIES[last.error]}")


def _unanswered(excerpt: Excerpt, log: Log, prompt: Prompt, settings: Settings) -> list[Document]:
    """Return what is to be asked: one document for each text that has no judgement yet."""
    good = log.good()
    waiting = {}
    for document in excerpt.sample:
        if (document.text_hash, settings.model, prompt.version) not in good:
            waiting.setdefault(document.text_hash, document)
    return list(islice(waiting.values(), settings.limit))


class SampleSize(click.ParamType):
    """A number of documents, or a share of them: `500`, `10%`."""

    name = "N|SHARE"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return documents as an int, a share as a float."""
        is_share = value.endswith("%")
        with contextlib.suppress(ValueError):
            size = float(value[:-1]) / 100 if is_share else int(value)
            if size > 0 and (size <= 1 or not is_share):
                return size
        self.fail(f"'{value}' must be documents, as 500, or a share of them, as 10%.", param, ctx)


class RequestFields(click.ParamType):
    """Fields of a request as YAML, as in `{temperature: 0}`."""

    name = "YAML"

    def convert(
        self,
        value: str | dict[str, Any],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> dict[str, Any]:
        """Parse; what the command itself says in a request is wrong usage."""
        import yaml

        try:
            given = yaml.safe_load(value) if isinstance(value, str) else value
        except yaml.YAMLError as error:
            self.fail(f"'{value}' is no YAML: {str(error).splitlines()[0]}", param, ctx)
        if not isinstance(given, dict):
            self.fail(f"'{value}' must be like '{{temperature: 0}}'.", param, ctx)
        for name in ("model", "messages", "response_format", "stream", "n"):
            if name in given:
                self.fail(f"'{name}' is not for --parameters to say.", param, ctx)
        for name, content in given.items():
            # YAML knows dates, sets and numbers that no request can hold.
            try:
                json.dumps({name: content}, allow_nan=False, ensure_ascii=False).encode()
            except (TypeError, ValueError, RecursionError) as error:
                self.fail(f"'{name}' of --parameters is no JSON: {error}.", param, ctx)
        return given


@click.command(cls=Documented)
@warehouse_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of labels to write: .csv, .jsonl or .parquet. Needed unless --dry-run.",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to which every answer is added.  [default: .answers.jsonl beside --output]",
)
@click.option(
    "--sample",
    type=SampleSize(),
    default="10%",
    show_default=True,
    help="Documents, or share of them, to draw from what the outer layer accepts.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another one draws others.")
@click.option("--limit", type=click.IntRange(min=1), help="Texts asked about in this run, at most.")
@click.option("--dry-run", is_flag=True, help="Only say what it would cost; nothing is sent.")
@click.option(
    "--base-url", metavar="URL", help="The endpoint.  [default: $DEEPINNOVATION_LLM_BASE_URL]"
)
@click.option("--model", help="Its model to ask.  [default: $DEEPINNOVATION_LLM_MODEL]")
@click.option(
    "--response-format",
    type=click.Choice(["json_schema", "json_object"]),
    default="json_schema",
    show_default=True,
    help="How the endpoint is held to JSON; older ones know json_object only.",
)
@click.option(
    "--parameters",
    type=RequestFields(),
    default="{temperature: 0, max_tokens: 1000}",
    show_default=True,
    help="Further fields of each request. Models that think refuse these two.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Requests at a time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    help="Further tries after a rate limit, an error of the server, or no answer.",
)
@click.option("--price-in", type=click.FloatRange(min=0), help="Price of a million tokens read.")
@click.option(
    "--price-out", type=click.FloatRange(min=0), help="Price of a million tokens written."
)
@debug_option
def annotate_command(
    warehouse: str | None,
    output: Path | None,
    log: Path | None,
    sample: int | float,
    seed: int,
    limit: int | None,
    dry_run: bool,
    base_url: str | None,
    model: str | None,
    response_format: str,
    parameters: dict[str, Any],
    concurrency: int,
    timeout: float,
    retries: int,
    price_in: float | None,
    price_out: float | None,
) -> None:
    """Have a language model label a sample of what the outer layer accepts.

    Titles and abstracts are sent to an endpoint that speaks OpenAI's chat
    completions: a server of your own or a supplier, named by --base-url or
    DEEPINNOVATION_LLM_BASE_URL; there is no default. A key is taken from
    DEEPINNOVATION_LLM_API_KEY only. The sample is stratified by document type,
    years and probability; a larger one holds the smaller. What was answered is
    not asked again, so a run that was stopped goes on, and failures are retried.
    The exit code is 1 if it was stopped by failures or nothing was answered, 2 if
    an option is wrong, 3 if the warehouse or log cannot be read, 130 after Ctrl-C.

    For example:
      deepinnovation annotate --dry-run --price-in 0.15 --price-out 0.6
      deepinnovation annotate --output labels.csv --base-url http://localhost:8000/v1
          --model NAME --sample 500
      deepinnovation build --labels labels.csv
    """
    from python_steps.ai_decision.annotation import settings as annotation_settings

    if (price_in is None) != (price_out is None):
        raise click.UsageError("Give both --price-in and --price-out, or neither.")
    base_url = base_url or os.environ.get("DEEPINNOVATION_LLM_BASE_URL") or ""
    model = model or os.environ.get("DEEPINNOVATION_LLM_MODEL") or ""
    if not dry_run:
        _refuse_unclear_endpoint(base_url, model)
    if output is None and not dry_run:
        raise click.UsageError("--output FILE is missing: where the labels go, as labels.csv.")
    if output is not None and output.suffix not in (".csv", ".jsonl", ".parquet"):
        raise click.UsageError(f"--output {output} must end in .csv, .jsonl or .parquet.")
    output = (output or Path("labels.csv")).expanduser().resolve()
    log = (log or output.with_suffix(".answers.jsonl")).expanduser().resolve()
    if output == log:
        raise click.UsageError("--output and --log must be two files.")
    if output.exists() and not log.exists() and not dry_run:
        raise click.UsageError(
            f"{output} is there, but not the log {log}: it would be lost. Name another --output, "
            "or the --log that it was made from."
        )
    settings = annotation_settings.Settings(
        output=output,
        log=log,
        sample=sample,
        seed=seed,
        limit=limit,
        base_url=base_url,
        model=model,
        key=_key_of_endpoint(),
        response_format=response_format,
        parameters=parameters,
        concurrency=concurrency,
        timeout=timeout,
        retries=retries,
        prices=None if price_in is None else (price_in, price_out),
    )
    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    draw_and_ask(tables, settings, is_dry_run=dry_run, console=output_console())


def _refuse_unclear_endpoint(base_url: str, model: str) -> None:
    """Refuse to guess where texts are sent."""
    if not base_url:
        raise click.UsageError(
            "No endpoint is named, and there is no default. Set DEEPINNOVATION_LLM_BASE_URL or "
            "--base-url, as http://localhost:8000/v1; --dry-run needs none."
        )
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # urlsplit itself does not look whether it is one
    except ValueError as error:
        raise click.UsageError(
            f"--base-url must be like http://localhost:8000/v1: {error}."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"--base-url must be like http://localhost:8000/v1, not {base_url}.")
    if parts.username or parts.password or parts.query:
        raise click.UsageError(
            "--base-url must hold no name, password or query: a key goes into "
            "DEEPINNOVATION_LLM_API_KEY."
        )
    if not model:
        raise click.UsageError("No model is named: set DEEPINNOVATION_LLM_MODEL or --model.")


def _key_of_endpoint() -> str:
    """Return the key; one that no header can hold was pasted wrongly."""
    key = (os.environ.get("DEEPINNOVATION_LLM_API_KEY") or "").strip()
    if not all(33 <= ord(character) <= 126 for character in key):
        raise click.UsageError(
            "DEEPINNOVATION_LLM_API_KEY holds blanks or letters that no key has. Set it anew."
        )
    return key

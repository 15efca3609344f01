"""`deepinnovation annotate`: ask a language model for labels."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from python_steps.command_line.console import output_console
from python_steps.command_line.options import (
    YamlMapping,
    chosen_warehouse,
    debug_option,
    require,
    warehouse_option,
)
from python_steps.warehouse.places import tables_at


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
        self.fail(
            f"'{value}' must be a number of documents, as 500, or a share of them, as 10%.",
            param,
            ctx,
        )


def checked_fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return further fields of a request; refuse those that the command itself sets."""
    for name in ("model", "messages", "response_format", "stream", "n"):
        if name in given:
            message = f"'{name}' cannot be set with --parameters."
            raise ValueError(message)
    for name, content in given.items():
        # YAML knows dates, sets and numbers that a request cannot hold.
        try:
            json.dumps({name: content}, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            message = f"'{name}' of --parameters cannot be written as JSON: {error}."
            raise ValueError(message) from error
    return given


def _endpoint(context: click.Context, _: click.Parameter, url: str | None) -> str:
    """Return the URL of the endpoint; never guess where texts are sent."""
    if not url:
        if context.params.get("is_dry_run"):
            return ""
        raise click.UsageError(
            "No endpoint is set, and there is no default. Set DEEPINNOVATION_LLM_BASE_URL or "
            "--base-url, for example http://localhost:8000/v1 (--dry-run needs none)."
        )
    try:
        parts = urlsplit(url)
        _ = parts.port  # urlsplit itself does not check it
    except ValueError as error:
        raise click.UsageError(
            f"--base-url must be like http://localhost:8000/v1: {error}."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"--base-url must be like http://localhost:8000/v1, not {url}.")
    if parts.username or parts.password or parts.query:
        raise click.UsageError(
            "--base-url must contain no name, password or query: set the key in "
            "DEEPINNOVATION_LLM_API_KEY."
        )
    return url


def _model(context: click.Context, _: click.Parameter, model: str | None) -> str:
    """Return the name of the model; a dry run needs none."""
    if not model and not context.params.get("is_dry_run"):
        raise click.UsageError("No model is set: use DEEPINNOVATION_LLM_MODEL or --model.")
    return model or ""


def _file_of_labels(context: click.Context, _: click.Parameter, output: Path | None) -> Path:
    """Return the file of labels as an absolute path; a dry run needs none."""
    if output is None and not context.params.get("is_dry_run"):
        raise click.UsageError("--output FILE is missing: where to write labels, as labels.csv.")
    if output is not None and output.suffix not in (".csv", ".jsonl", ".parquet"):
        raise click.UsageError(f"--output {output} must end in .csv, .jsonl or .parquet.")
    return (output or Path("labels.csv")).expanduser().resolve()


@click.command()
@warehouse_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_file_of_labels,
    help="File to write labels to: .csv, .jsonl or .parquet. Needed unless --dry-run.",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that every answer is appended to.  [default: .answers.jsonl beside --output]",
)
@click.option(
    "--sample",
    type=SampleSize(),
    default="10%",
    show_default=True,
    help="How many of the documents that the outer layer accepts to draw: a number or a share.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Maximum number of texts to ask about in this run."
)
@click.option(
    "--dry-run",
    "is_dry_run",
    is_flag=True,
    is_eager=True,
    help="Estimate the cost; nothing is sent.",
)
@click.option(
    "--base-url",
    metavar="URL",
    callback=_endpoint,
    envvar="DEEPINNOVATION_LLM_BASE_URL",
    help="URL of the endpoint.  [default: $DEEPINNOVATION_LLM_BASE_URL]",
)
@click.option(
    "--model",
    callback=_model,
    envvar="DEEPINNOVATION_LLM_MODEL",
    help="Name of the model.  [default: $DEEPINNOVATION_LLM_MODEL]",
)
@click.option(
    "--response-format",
    type=click.Choice(["json_schema", "json_object"]),
    default="json_schema",
    show_default=True,
    help="How the endpoint is asked for JSON; older ones support json_object only.",
)
@click.option(
    "--parameters",
    type=YamlMapping("{temperature: 0}", checked_fields),
    default="{temperature: 0, max_tokens: 1000}",
    show_default=True,
    help="More fields of each request. Reasoning models may refuse these two.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Number of requests at a time.",
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
    help="Retries after a rate limit, a server error, or no answer.",
)
@click.option("--price-in", type=click.FloatRange(min=0), help="Price per million input tokens.")
@click.option("--price-out", type=click.FloatRange(min=0), help="Price per million output tokens.")
@debug_option
def annotate_command(
    warehouse: str | None,
    is_dry_run: bool,
    output: Path,
    log: Path | None,
    price_in: float | None,
    price_out: float | None,
    **options: Any,  # noqa: ANN401
) -> None:
    """Have a language model label a sample of what the outer layer accepts.

    Titles and abstracts are sent to an endpoint with OpenAI's chat completions
    API, your own server or a provider's, named by --base-url or
    DEEPINNOVATION_LLM_BASE_URL; there is no default. The key is read from
    DEEPINNOVATION_LLM_API_KEY only. The sample is stratified by document type,
    year and probability; a larger sample contains the smaller. Texts already
    answered are not sent again, so a run that was stopped continues, and failures
    are retried.

    Exit codes: 1 stopped by failures or no usable answer, 2 an option is wrong or
    a package is not installed, 3 the warehouse or log cannot be read, 130 stopped
    by Ctrl-C.

    \b
    For example:
      deepinnovation annotate --dry-run --price-in 0.15 --price-out 0.6
      deepinnovation annotate --output labels.csv --sample 500 \\
          --base-url http://localhost:8000/v1 --model NAME
      deepinnovation build --labels labels.csv
    """
    if (price_in is None) != (price_out is None):
        raise click.UsageError("Give both --price-in and --price-out, or neither.")
    log = (log or output.with_suffix(".answers.jsonl")).expanduser().resolve()
    if output == log:
        raise click.UsageError("--output and --log must be different files.")
    if output.exists() and not log.exists() and not is_dry_run:
        raise click.UsageError(
            f"{output} exists, but not its log {log}: it would be overwritten. Name another "
            "--output, or the --log that it was made from."
        )
    for module in ("openai", "pydantic"):
        require("This command", "annotate", module)
    from python_steps.ai_decision.annotation.settings import Settings
    from python_steps.command_line.annotation import draw_and_ask

    settings = Settings(
        output=output,
        log=log,
        key=_key_of_endpoint(),
        prices=None if price_in is None else (price_in, price_out),
        **options,
    )
    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    draw_and_ask(tables, settings, is_dry_run=is_dry_run, console=output_console())


def _key_of_endpoint() -> str:
    """Return the key; refuse one that cannot be sent in a header."""
    key = (os.environ.get("DEEPINNOVATION_LLM_API_KEY") or "").strip()
    if not all(33 <= ord(character) <= 126 for character in key):
        raise click.UsageError(
            "DEEPINNOVATION_LLM_API_KEY contains spaces or characters that no key has. Set it "
            "again."
        )
    return key

"""`deepinnovation classify`: decide which records of a table are about AI."""

from pathlib import Path

import click

from python_steps.command_line.console import BuildReporter, output_console
from python_steps.command_line.options import debug_option, project_folder


@click.command()
@click.argument("location", metavar="INPUT")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File to write the decisions to: .csv, .jsonl or .parquet.",
)
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent"]),
    help="What the records are.  [default: guessed from the columns]",
)
@click.option(
    "--classifiers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder written by `deepinnovation train`.  [default: the packaged classifiers]",
)
@click.option(
    "--languages",
    type=click.Choice(["english", "all"]),
    help="Languages to judge; all: also German and Chinese.  [default: english]",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "f32", "bf16"]),
    help="Precision of the computation.  [default: auto]",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="Device to compute on.  [default: auto]",
)
@click.option("--quiet", is_flag=True, help="Print nothing unless something fails.")
@debug_option
@click.pass_context
def classify_command(
    context: click.Context,
    location: str,
    output: Path,
    document_type: str | None,
    classifiers: Path | None,
    languages: str | None,
    precision: str | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Decide which papers or patents of a table are about AI, without a warehouse.

    INPUT is a file, folder or glob (in quotes) of .parquet, .csv or .jsonl with
    the columns id and title, and ideally abstract. All columns are described at
    stg_tables__papers and stg_tables__patents. The output has one row per record,
    in the order of the input: source, source_record_id (its id), document_id,
    is_ai, outer_probability, inner_probability, decided_by, reason,
    model_version. is_ai is empty, and reason says why, if a record is rejected,
    has no text, or is in a language that the classifiers do not read. Records
    that share an id, DOI or title are one document and get one decision, based on
    the longest text.

    Work in progress is kept in a folder OUTPUT.partial: a run that was stopped or
    killed continues from there.

    Exit codes: 1 a step failed, 2 an option is wrong or missing, 3 the input
    cannot be read, 130 stopped by Ctrl-C.

    \b
    For example:
      deepinnovation classify papers.csv --output decisions.csv
      deepinnovation classify "patents/*.parquet" --output decisions.parquet \\
          --document-type patent
      deepinnovation classify papers.jsonl --output decisions.jsonl --classifiers mine
    """
    from python_steps.building import classify as building_classify

    request = building_classify.Request(
        project=project_folder(),
        location=location,
        output=output.expanduser().resolve(),
        document_type=document_type,
        classifiers=classifiers and classifiers.expanduser().resolve(),
        languages=languages,
        precision=precision,
        device=device,
        is_quiet=quiet,
    )
    context.exit(building_classify.decide(request, BuildReporter(output_console())))

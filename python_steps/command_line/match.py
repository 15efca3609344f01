"""`deepinnovation match`: the nearest papers or patents of a document or a text."""

import os

import click

from python_steps.command_line.console import output_console, pour, print_table
from python_steps.command_line.options import (
    chosen_warehouse,
    debug_option,
    format_option,
    project_folder,
    warehouse_option,
)
from python_steps.warehouse.places import tables_at

PROBABLY = 0.5  # relatedness


@click.command()
@click.option(
    "--query",
    required=True,
    help="Id, DOI or publication number of a document in the warehouse, or any text.",
)
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="How many.")
@click.option(
    "--among",
    type=click.Choice(["papers", "patents"]),
    help="Kind of document to find.  [default: papers for a patent, else patents]",
)
@click.option("--from-year", type=int, help="Earliest year.")
@click.option("--to-year", type=int, help="Latest year.")
@click.option(
    "--embedding-model",
    help="Model that made the warehouse's vectors; needed where it lies in a folder of yours.",
)
@warehouse_option
@format_option
@debug_option
def match_command(
    query: str,
    k: int,
    among: str | None,
    from_year: int | None,
    to_year: int | None,
    embedding_model: str | None,
    warehouse: str | None,
    form: str,
) -> None:
    """Find the documents nearest to a document in the warehouse, or to a text.

    Compares title and abstract with those of all documents that have a vector (by
    default AI papers and patents), by cosine similarity. A paper finds patents of
    its year or later, a patent finds papers of its year or earlier; --from-year
    and --to-year replace that rule. The order is that of similarity_rank in
    paper_patent_pairs. Relatedness is the probability that readers of a paper and
    a patent would call them related; here from similarity alone, in
    paper_patent_pairs from shared words too.

    \b
    For example:
      deepinnovation match --query W9000000083
      deepinnovation match --query US-900004943-B2 --k 3
      deepinnovation match --query 10.5555/sample.n35.6569 --among papers --format csv
      deepinnovation match --query "robots that learn to grasp" --from-year 2020
    """
    from python_steps.warehouse import neighbours

    if from_year is not None and to_year is not None and from_year > to_year:
        raise click.UsageError("--from-year is after --to-year.")
    if not query.strip():
        raise click.UsageError("--query is empty.")
    found = neighbours.nearest(
        tables_at(chosen_warehouse(warehouse), os.environ),
        query,
        project=project_folder(),
        count=k,
        document_type=among and among.removesuffix("s"),
        from_year=from_year,
        to_year=to_year,
        embedding_model=embedding_model,
    )
    if form != "table":
        pour(found.rows, form)
        return
    years = [f"from {found.from_year}" if found.from_year is not None else ""]
    years += [f"to {found.to_year}" if found.to_year is not None else ""]
    asked = found.query
    what = f"{asked['title']} ({asked['document_id']}, {asked['year']})" if asked else query.strip()
    console = output_console()
    kind = " ".join([f"{found.document_type.capitalize()}s", *filter(None, years)])
    console.print(f"{kind}, nearest to: {what}", highlight=False, markup=False, soft_wrap=True)
    shown = found.rows
    for place, name in ((1, "similarity"), (2, "relatedness")):
        values = ["" if each is None else f"{each:.3f}" for each in shown.column(name).to_pylist()]
        shown = shown.set_column(place, name, [values])
    print_table(shown.column_names, zip(*shown.to_pydict().values(), strict=True))
    related = [each for each in found.rows.column("relatedness").to_pylist() if each is not None]
    if related and max(related) < PROBABLY:
        console.print(
            f"Probably none of them is related: the nearest has a relatedness of "
            f"{max(related):.2f}, where 1 is certain.",
            highlight=False,
            soft_wrap=True,
        )

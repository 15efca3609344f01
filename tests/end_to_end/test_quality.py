"""Claims about a delivery that nothing can be published from."""

import json
import subprocess

import pytest

from python_steps.errors import UNREADABLE
from tests.end_to_end.conftest import command, environment, place_in
from tests.small_warehouse import CASES

CASE = CASES / "60_iso_dates_full"


@pytest.mark.slow
def test_a_delivery_without_years_publishes_nothing_and_says_why(tmp_path):
    patents = [json.loads(line) for line in (CASE / "publications.jsonl").open(encoding="utf-8")]
    dates = ("filing_date", "priority_date", "publication_date", "grant_date")
    for patent in patents:
        patent.update(dict.fromkeys(dates, "spring"))
    file = tmp_path / "publications.jsonl"
    file.write_text("".join(json.dumps(patent) + "\n" for patent in patents))
    place = place_in(tmp_path / "made")
    place.warehouse.parent.mkdir()
    run = subprocess.run(
        command(
            place,
            *("--papers", f"openalex={CASE}/works.jsonl", "--patents", f"google_patents={file}"),
            *("--vars", "{rejected_share_limit: 1}"),
        ),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == UNREADABLE, run.stdout + run.stderr
    said = " ".join((run.stdout + run.stderr).split())
    assert "Nothing is published: None of the 12 patents has a year" in said
    assert not list(place.publication.glob("*.csv"))

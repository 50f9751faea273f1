"""The figures and the picture in the documents are those of results.json."""

from __future__ import annotations

import pytest

from benchmarks import picture, report
from benchmarks.results import Run, load, lower_bound
from devkit.package import PROJECT

RESULTS = load(PROJECT / "benchmarks" / "results.json")


@pytest.mark.parametrize("path", report.DOCUMENTS, ids=lambda path: path.name)
def test_figures_in_documents_are_those_of_the_results(path):
    """Generating the marked parts again changes nothing."""
    assert path.read_text(encoding="utf-8") == report.documents(RESULTS)[path]


def test_the_picture_is_that_of_the_results():
    """Drawing the timeline again changes nothing."""
    drawn = report.README.with_name(report.PICTURE).read_text(encoding="utf-8")
    assert drawn == picture.timeline(RESULTS)


def test_the_lower_bound_waits_for_each_response():
    """An endpoint is written once it has arrived and the one before it is written."""
    download = Run(arrived={"tracks": 1.0, "courses": 1.5})
    alone = Run(written={"tracks": 2.0, "courses": 2.25})
    assert lower_bound(download, alone) == 3.25
    download.arrived["courses"] = 4.0
    assert lower_bound(download, alone) == 4.25

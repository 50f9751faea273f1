"""The figures and the picture in the documents are those of results.json."""

from __future__ import annotations

from benchmarks import report
from benchmarks.results import Run, load, lower_bound
from devkit.package import PROJECT


def test_generating_documents_and_picture_from_the_results_changes_nothing():
    generated = report.documents(load(PROJECT / "benchmarks" / "results.json"))
    assert generated == {path: path.read_text(encoding="utf-8") for path in generated}


def test_the_lower_bound_waits_for_each_response_and_for_the_endpoint_before_it():
    download = Run(arrived={"tracks": 1.0, "courses": 1.5})
    alone = Run(written={"tracks": 2.0, "courses": 2.25})
    assert lower_bound(download, alone) == 3.25
    download.arrived["courses"] = 4.0
    assert lower_bound(download, alone) == 4.25

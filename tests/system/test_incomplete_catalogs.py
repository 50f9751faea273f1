"""Over several syncs with the real SDK, an incomplete catalog deletes no row."""

from __future__ import annotations

import json

import pytest

from devkit import sdk
from mock_api.catalog import catalog
from mock_api.serving import serving
from tests.support.fetching import TOKEN, misbehave, replying

SMALL = catalog(scale=0.05)
COURSES = SMALL["courses"]
PAGE = {"data": COURSES[:20]}


@pytest.fixture
def server(quick):
    """Serve a small catalog, and retry without waiting."""
    with serving(SMALL, token=TOKEN) as running:
        yield running


def sync(server, folder):
    """Run one sync."""
    return sdk.sync({"bearer_token": TOKEN, "base_url": server.base_url}, folder)


REFUSED = {
    "ids under another name": ({"data": [{"courseId": c["id"]} for c in COURSES]}, {}),
    "an error beside half a list": ({**PAGE, "errors": ["timeout"]}, {}),
    "a page by its members": ({**PAGE, "total": len(COURSES), "limit": 20}, {}),
    "a page by its headers": (PAGE, {"X-Total-Count": "39", "X-Per-Page": "20"}),
}


@pytest.mark.parametrize(("document", "headers"), REFUSED.values(), ids=REFUSED)
def test_a_refused_response_deletes_nothing(server, tmp_path, document, headers):
    """Three syncs in a row fail and name the endpoint; its rows stay, and heal with the API."""
    assert sync(server, tmp_path).error is None
    before = sdk.counts(tmp_path)
    misbehave(server, (replying(200, json.dumps(document).encode(), headers), None))
    for _ in range(3):
        error = sync(server, tmp_path).error
        assert "- courses: GET " in str(error)
        assert sdk.counts(tmp_path) == before
    server.set_faults()
    assert sync(server, tmp_path).error is None
    assert sdk.counts(tmp_path) == before


@pytest.mark.parametrize("marked", [True, False], ids=["with a total", "empty"])
def test_a_suspicious_catalog_deletes_only_in_the_third_sync_in_a_row(server, tmp_path, marked):
    """Two syncs succeed with a warning and every row; the third deletes what is missing."""
    sync(server, tmp_path)
    whole, all_rows = len(COURSES), sdk.counts(tmp_path)["course"]
    kept = COURSES[:-2] if marked else []
    members = {"meta": {"total": whole}} if marked else {}
    server.replace("courses", json.dumps({"data": kept, **members}).encode())
    counted = []
    for _ in range(3):
        synced = sync(server, tmp_path)
        assert synced.error is None
        counted.append(sdk.counts(tmp_path)["course"])
        why = (
            f"meta.total is {whole}, but the response has {whole - 2} items"
            if marked
            else "the catalog is empty"
        )
        if len(counted) < 3:
            assert f"{whole - len(kept)} deletes deferred because {why}" in synced.log
    assert counted == [all_rows, all_rows, len(kept)]


def test_a_small_catalog_is_guarded_too(server, tmp_path):
    """Half of twelve tracks and all of four custom tracks stay for two syncs."""
    tracks = [{"id": f"track-{number}"} for number in range(12)]
    custom = [{"id": f"custom-track-{number}"} for number in range(4)]
    server.serve({"tracks": tracks, "custom_tracks": custom})
    sync(server, tmp_path)
    server.serve({"tracks": tracks[:6], "custom_tracks": []})
    found = []
    for _ in range(3):
        sync(server, tmp_path)
        counts = sdk.counts(tmp_path)
        found.append((counts["track"], counts["custom_track"]))
    assert found == [(12, 4), (12, 4), (6, 0)]


def test_a_declared_charset_keeps_every_row(server, tmp_path):
    """A catalog that changes to declared ISO-8859-1 has the same rows, with its accents."""
    sync(server, tmp_path)
    before = sdk.counts(tmp_path)
    accents = [{**course, "title": "Décisions à Zürich"} for course in COURSES]
    body = json.dumps({"data": accents}, ensure_ascii=False).encode("iso-8859-1", "replace")
    declared = {"Content-Type": "application/json; charset=ISO-8859-1"}
    misbehave(server, (replying(200, body, declared), None))
    assert sync(server, tmp_path).error is None
    assert sdk.counts(tmp_path) == before
    titles = sdk.query(tmp_path, "SELECT DISTINCT title FROM course WHERE NOT _fivetran_deleted")
    assert titles == [("Décisions à Zürich",)]

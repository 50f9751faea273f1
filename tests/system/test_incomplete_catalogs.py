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
PAGE = json.dumps({"data": COURSES[:20]}).encode()


@pytest.fixture
def server(quick):
    """Serve a small catalog, and retry without waiting."""
    with serving(SMALL, token=TOKEN) as running:
        yield running


def sync(server, folder):
    """Run one sync."""
    return sdk.sync({"bearer_token": TOKEN, "base_url": server.base_url}, folder)


def test_a_refused_response_deletes_nothing(server, tmp_path):
    """Three syncs of a page fail and name the endpoint; its rows stay, and heal with the API."""
    assert sync(server, tmp_path).error is None
    before = sdk.counts(tmp_path)
    headers = {"X-Total-Count": "39", "X-Per-Page": "20"}
    misbehave(server, (replying(200, PAGE, headers), None))
    for _ in range(3):
        assert "- courses: GET " in str(sync(server, tmp_path).error)
        assert sdk.counts(tmp_path) == before
    server.set_faults()
    assert sync(server, tmp_path).error is None
    assert sdk.counts(tmp_path) == before


def test_a_suspicious_catalog_deletes_only_in_the_third_sync_in_a_row(server, tmp_path):
    """Two syncs succeed with warnings and every row; the third deletes what is missing.

    A total speaks against the courses, half of the tracks are missing and all custom tracks.
    """
    tracks = [{"id": f"track-{number}"} for number in range(12)]
    custom = [{"id": f"custom-track-{number}"} for number in range(4)]
    server.serve({**SMALL, "tracks": tracks, "custom_tracks": custom})
    sync(server, tmp_path)
    server.serve({**SMALL, "tracks": tracks[:6], "custom_tracks": []})
    whole = len(COURSES)
    page = {"data": COURSES[:-2], "meta": {"total": whole}}
    server.replace("courses", json.dumps(page).encode())
    found = []
    for _ in range(3):
        synced = sync(server, tmp_path)
        assert synced.error is None
        counts = sdk.counts(tmp_path)
        found.append([counts[name] for name in ("course", "track", "custom_track")])
        reasons = (
            f"2 deletes deferred because meta.total is {whole}, but the response has {whole - 2}",
            "4 deletes deferred because the catalog is empty",
        )
        assert [reason in synced.log for reason in reasons] == [len(found) < 3] * 2
    assert found == [[whole, 12, 4], [whole, 12, 4], [whole - 2, 6, 0]]

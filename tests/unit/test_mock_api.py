"""The generated catalog and the faults of the mock server, as far as others rely on them."""

from __future__ import annotations

import functools
import json
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from async_client.errors import FetchError, FinalError, TransientError
from async_client.response import Response, judge
from mock_api.catalog import SIZES, catalog
from mock_api.fault_kinds import KIND_NAMES, kind_of
from mock_api.faults import Fault, by_endpoint, parse_fault
from mock_api.responses import Exchange, envelope
from tests.support.fetching import CATALOGS, COURSES

generated = functools.cache(catalog)  # of catalogs that no test changes


def by_id(items):
    """Index items by their ids, which have to be distinct."""
    indexed = {item["id"]: item for item in items}
    assert len(indexed) == len(items)
    return indexed


def test_sizes_are_those_of_the_real_catalog():
    whole, tenth, least = (generated(scale=scale) for scale in (1.0, 0.1, 0.0001))
    assert SIZES["courses"] == 764
    assert {name: len(items) for name, items in whole.items()} == SIZES
    assert 2e6 < len(json.dumps(whole["courses"], ensure_ascii=False).encode()) < 3e6
    assert [len(items) for items in tenth.values()] == [round(n / 10) for n in SIZES.values()]
    assert {len(items) for items in least.values()} == {1}


def test_a_change_to_one_catalog_does_not_affect_the_next_one():
    first = catalog(revision=3, scale=0.1)
    untouched = json.dumps(first)
    for value in (value for items in first.values() for item in items for value in item.values()):
        if isinstance(value, (dict, list)):
            value.clear()
    assert json.dumps(catalog(revision=3, scale=0.1)) == untouched


def test_a_few_courses_of_a_small_catalog_are_unusual():
    courses = json.dumps(generated(scale=0.1)["courses"], ensure_ascii=False)
    for text in (
        *('"chapters": []', '"chapters": null', '{"fullName": null}', '"instructors": []'),
        *('["teams", "enterprise"]', '[{"id": 7, "name": "enterprise"}]', '"difficulty": {'),
        *('"topic": null', '"imageUrl": null', '"technology": null', "naïve", "<p>"),
    ):
        assert 0 < courses.count(text) < 7


@pytest.mark.parametrize(("name", "children"), [("courses", "chapters"), ("tracks", "content")])
def test_a_revision_changes_retires_and_adds_a_few_items(name, children):
    fields, pairs = set(), [(number, number + 1) for number in range(9)]
    for before, after in ([by_id(generated(n, 0.2)[name]) for n in pair] for pair in pairs):
        changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
        for keys in (before.keys() - after.keys(), changed, after.keys() - before.keys()):
            assert 1 <= len(keys) <= max(1, len(before) * 0.03)
        for old, new in ((before[key], after[key]) for key in changed):
            assert old["updatedAt"] < new["updatedAt"]
            fields |= {field for field in old if old[field] != new[field]}
    assert fields - {"timeNeededInHours"} == {"title", children, "updatedAt"}


OUTCOMES = {
    TransientError: "503 empty html text null scalar object error-object data-null garbage "
    "cut-json latin1 renamed-ids error-beside huge-integer deep",
    FinalError: "204 206 304 404 redirect redirect-same redirect-loop redirect-nowhere first-page "
    "pages next-link",
    None: "empty-list bom latin1-declared total nan huge-number surrogate duplicate-keys "
    "bare-list own-name",
}


@pytest.mark.parametrize(
    ("kind", "outcome"), [(kind, each) for each in OUTCOMES for kind in OUTCOMES[each].split()]
)
async def test_a_fault_leads_to_a_retry_a_failure_or_a_catalog(kind, outcome):
    request = SimpleNamespace(path=COURSES.path)
    sent = await kind_of(kind)(Exchange(request, "courses", envelope(CATALOGS["courses"])))
    response = Response(sent.status, sent.headers, sent.body or b"")
    found = None
    try:
        judge(COURSES, "http://mock", response, datetime.now(timezone.utc))
    except FetchError as failure:
        found = failure
    assert isinstance(found, outcome or type(None))


def test_each_endpoint_has_its_own_count_of_each_fault():
    once, always = object(), object()
    faults = by_endpoint([Fault(("courses", "tracks"), once, 1), Fault(("courses",), always)])
    sent = [[next(faults[name], None) for _ in range(3)] for name in ("courses", "tracks")]
    assert sent == [[once, always, always], [once, None, None]]


def test_every_kind_that_help_and_errors_list_is_valid():
    for kind in KIND_NAMES.replace("400 to 599", "400, 599").replace("MIB", "1").split(", "):
        assert parse_fault(f"all={kind}x3").times == 3

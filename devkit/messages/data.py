"""The messages about the data, the saved state and the course of a sync."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import report
from async_client import CatalogFetched, EndpointError, FetchError, RetryScheduled
from changes import Outcome, Snapshot, SnapshotEntry, StateTooLargeError, make_plan, resume
from changes.snapshot import encode
from devkit.messages.requests import COURSES, status_failure
from devkit.messages.rows import NEXT_SYNC, NOTHING, NOW, Row, sentences, unsplit
from endpoints import ENDPOINTS
from flatten import Flattener

_NAMES = [endpoint.name for endpoint in ENDPOINTS]
_ITEMS = [{"id": f"course-{n}", "chapters": [{"id": f"chapter-{n}"}]} for n in range(1, 7)]
_STATE = {"version": 1, "source": "https://a", "writing": None, "endpoints": {}}
_LIST = "chapters"


def of_rows() -> Iterator[Row]:
    """Yield the lines on rows that are rejected, and the warnings of a catalog."""
    yield unsplit(
        "the API sent a record whose id is missing, unusable or repeated; other rows are written",
        NEXT_SYNC,
        *_rejections(
            {}, {"id": {}}, {"id": "\0"}, {"id": "x" * 1_001}, {"id": 1}, {"id": 1}, None
        ),
        *_rejections({"id": 1, _LIST: [{"id": 2}, {"id": 2}, 7]}),
        _concern([{"title": "x"}]),
        advice="If it stays, report the record to DataCamp.",
    )
    names = {"id": 1, "x" * 1_001: 1}
    large = {"id": 1, **dict.fromkeys("abcdef", 1e39)}
    many = {"id": 1, **{f"field_{n}": 1 for n in range(501)}}
    yield unsplit(
        "the API sent another type than the column has, or more fields than a table may have",
        NOTHING,
        *(_concern([item]) for item in ({"id": 1, "live": "x"}, large, names, many)),
        advice="If the values matter, report them to DataCamp.",
    )
    known = _snapshot(_ITEMS)
    yield unsplit(
        "an object, a text or a number in the place of the list",
        NEXT_SYNC,
        _concern([{**_ITEMS[0], _LIST: 7}, *_ITEMS[1:]], known),
    )
    no_children = [{**item, _LIST: []} for item in _ITEMS]
    unusable = [{**_ITEMS[0], _LIST: [{"name": "x"}]}, *_ITEMS[1:]]
    yield sentences(
        "many [children](behavior.md#deferred-changes-of-children) are missing, or one could not "
        "be read",
        NEXT_SYNC,
        _concern(no_children, known),
        _concern(unusable, known, last_only=True),
    )
    yield sentences(
        "the response is [suspicious](behavior.md#deferred-deletes-of-items)",
        NEXT_SYNC,
        _concern([], known),
        _concern(_ITEMS[:1], known),
        _concern([{}], known, last_only=True),
        _concern(_ITEMS[:5], known, shortfall="meta.total is 6, but the response has 5 items"),
    )
    shortfall = "meta.total is 9, but the response has 6 items"
    yield unsplit(
        "a total in the response is above the number of its items, but no item is missing",
        NEXT_SYNC,
        _concern(_ITEMS, known, shortfall=shortfall),
    )
    yield unsplit(
        "an initial sync or a re-sync of an empty catalog", NEXT_SYNC, report.empty("courses")
    )


def of_the_state() -> Iterator[Row]:
    """Yield the notes on a saved state, and the error of one that is too large."""

    def note(**changes: Any) -> str:
        _, (text,) = resume({**_STATE, **changes}, "https://a", _NAMES)
        return text

    yield sentences(
        "`base_url` changed, or another connector or version wrote the state",
        NOTHING,
        note(version=None),
        note(version=2),
        note(source="https://b"),
        note(writing="lessons"),
        note(endpoints=None),
    )
    unequal = encode("courses", {"course-1": SnapshotEntry(b"", ())})
    other: list[object] = [{**unequal, "lost_children": 7}, {"snapshot": "0" * 10}]
    damaged = [{"snapshot": 1}, {"snapshot": "\0"}, *other, unequal]
    yield sentences(
        "the state was edited or damaged",
        NOTHING,
        *(note(endpoints={"courses": entry}) for entry in damaged),
    )
    yield sentences("a sync of version 1.0.0 was killed", NOTHING, note(writing="courses"))
    yield sentences("another version wrote the state", NOTHING, note(endpoints={"lessons": {}}))
    yield sentences(
        "more items than Fivetran's state can describe", NOW, str(StateTooLargeError("courses"))
    )


def of_the_end() -> Iterator[Row]:
    """Yield the line on a catalog that failed, the last line of the log, and the error."""
    done = _outcome(_ITEMS, _snapshot(_ITEMS))
    failed = _failed("courses", status_failure(503))
    some: dict[str, report.Result] = {**dict.fromkeys(_NAMES[:5], done), "courses": failed}
    none: dict[str, report.Result] = dict.fromkeys(_NAMES, failed)
    stopped: dict[str, report.Result] = {
        "assessments": _failed("assessments", status_failure(401))
    }
    yield unsplit(
        "a catalog failed; its reason is explained [above](#requests)",
        NEXT_SYNC,
        str(failed),
        report.finished(some, _NAMES),
        _head(some, _NAMES),
        advice="See the line on the catalog.",
    )
    yield unsplit(
        "all catalogs failed, mostly for one reason",
        NEXT_SYNC,
        report.finished(none, _NAMES),
        _head(none, _NAMES),
        _head({"courses": failed}, ["courses"]),
        advice="See the lines on the catalogs.",
    )
    yield unsplit(
        "the token is wrong, expired or revoked",
        NOW,
        report.finished(stopped, _NAMES),
        _head(stopped, _NAMES),
        advice="[Replace the token](operating.md#replacing-the-token).",
    )
    yield unsplit(
        "the process was stopped",
        NEXT_SYNC,
        "The sync was interrupted (KeyboardInterrupt).",
        advice="Sync again.",
    )


def of_the_setup_test() -> Iterator[Row]:
    """Yield the results of the test that Fivetran runs when a connection is set up."""
    rejected, closed, down = status_failure(401), status_failure(403), status_failure(503)

    def result(**failures: Any) -> str:
        errors = {name: failure and _failed(name, failure) for name, failure in failures.items()}
        return report.unreadable_endpoints(errors)

    every: dict[str, Any] = dict.fromkeys(_NAMES)
    yield sentences("the token is wrong, expired or revoked", NOW, result(courses=rejected))
    yield sentences(
        "your license does not include the catalog", NOW, result(**{**every, "tracks": closed})
    )
    yield sentences(
        "`base_url` is wrong, or the token may read nothing", NOW, result(courses=closed)
    )
    yield sentences(
        "another failure, explained [above](#requests)",
        NEXT_SYNC,
        result(courses=down),
        result(**{**every, "courses": down}),
    )


def of_a_sync() -> Iterator[Row]:
    """Yield the lines on the course of a sync."""
    address, items = "https://lms-catalog-api.datacamp.com", _snapshot(_ITEMS)
    changed = [{**_ITEMS[0], "title": "x"}, *_ITEMS[1:5], {"id": "course-7"}]
    outcomes = {"courses": _outcome(changed, items), "tracks": _outcome([], None)}
    yield unsplit(
        "a sync begins",
        NOTHING,
        report.started(address, _NAMES, []),
        report.started(address, _NAMES, _NAMES[1:]),
    )
    yield unsplit(
        "an attempt failed, and another follows",
        NOTHING,
        report.retrying(RetryScheduled("courses", 1, 6, "HTTP 503 Service Unavailable", 0.7)),
    )
    yield unsplit(
        "DataCamp limits the rate; shown for the first time only",
        NOTHING,
        report.retrying(RetryScheduled("courses", 1, None, "HTTP 429 Too Many Requests", 15.0)),
    )
    fetched = CatalogFetched("courses", 764, 2_600_000, 1.41, 2)
    yield unsplit(
        "a catalog has arrived, and is written once those before it are",
        NOTHING,
        report.fetched(fetched, "tracks"),
    )
    yield unsplit(
        "a catalog was compared, and what changed was written",
        NOTHING,
        *(report.written(name, outcome, 0.17) for name, outcome in outcomes.items()),
    )
    yield unsplit(
        "the last line of a sync that succeeded", NOTHING, report.finished(outcomes, [*outcomes])
    )


def _head(results: Mapping[str, report.Result], names: Collection[str]) -> str:
    """Return the first line of the error, which the failed endpoints follow."""
    return report.failure(results, names).splitlines()[0]


def _snapshot(items: Sequence[object]) -> Snapshot:
    return make_plan(COURSES, None, map(Flattener(COURSES).flatten_item, items)).snapshot


def _outcome(
    items: Sequence[object], before: Snapshot | None, shortfall: str | None = None
) -> Outcome:
    flattened = map(Flattener(COURSES).flatten_item, items)
    return make_plan(COURSES, before, flattened, shortfall).outcome


def _concern(
    items: Sequence[object],
    before: Snapshot | None = None,
    shortfall: str | None = None,
    *,
    last_only: bool = False,
) -> str:
    """Return the warning of a catalog, or of several sentences the last two."""
    text = report.concerns("courses", _outcome(items, before, shortfall))
    return ". ".join(text.split(". ")[-2:]) if last_only else text


def _rejections(*items: object) -> list[str]:
    lines: dict[str, str] = {}
    for item in items:
        for line in report.rejections("courses", _outcome([item, *items], None)):
            lines.setdefault(line.rpartition(": ")[2], line)
    return list(lines.values())


def _failed(name: str, failure: FetchError) -> EndpointError:
    (path,) = (endpoint.path for endpoint in ENDPOINTS if endpoint.name == name)
    return EndpointError(name, f"https://lms-catalog-api.datacamp.com{path}", 1, failure)

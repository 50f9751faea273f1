"""Which members and headers are evidence against a complete catalog, and which are not."""

from __future__ import annotations

import json

import pytest

from async_client.evidence import error_beside, further_pages, further_pages_in_headers, shortfall
from async_client.response import split
from async_client.status import check_status
from tests.support.cases import cases
from tests.support.fetching import COURSES

SIX = [{"id": f"course-{number}", "title": "Décisions"} for number in range(6)]

FINDINGS = {
    further_pages: [
        ({"more_items_in_collection": True}, "more_items_in_collection is true"),
        ({"meta": {"hasMore": "true"}}, "meta.hasMore is 'true'"),
        ({"isLast": False}, "isLast is false"),
        ({"last": False, "totalElements": 6}, "last is false"),
        ({"after_cursor": "Y3Vyc29y"}, "after_cursor is present"),
        ({"pageInfo": {"endCursor": "Y3", "hasNextPage": True}}, "pageInfo.endCursor is present"),
        ({"totalPages": 2}, "totalPages is 2"),
        ({"meta": {"lastPage": "3"}}, "meta.lastPage is 3"),
        ({"incomplete_results": True}, "incomplete_results is true"),
        ({"t0ken": {"next": "https://a.example/t0ken"}}, "….next is present"),
    ],
    further_pages_in_headers: [
        ({"Link": '</v1?page=2>; rel="next"'}, "the Link header has rel=next"),
        ({"Link": "</page/2>; title=a; rel=next"}, "the Link header has rel=next"),
        ({"Link": '</1>; rel="prev", </3>; rel="last next"'}, "the Link header has rel=next"),
        ({"X-Next-Page": "2"}, "X-Next-Page is 2"),
        ({"x-total-pages": "2"}, "X-total-pages is 2"),
        ({"X-WP-TotalPages": "4"}, "X-WP-TotalPages is 4"),
        ({"X-Pagination": '{"HasNext":true}'}, "X-Pagination.HasNext is true"),
    ],
    error_beside: [
        ({"error": {"code": 500, "message": "no"}}, "error is present"),
        ({"errors": ["timeout"]}, "errors is present"),
        ({"meta": {"error": "timeout"}}, "meta.error is present"),
        ({"error": True}, "error is true"),
        ({"success": False}, "success is false"),
        ({"ok": False}, "ok is false"),
        ({"statusCode": 500}, "statusCode is 500"),
        ({"status_code": "503"}, "status_code is 503"),
        ({"status": "error"}, "status is 'error'"),
        ({"status": "FAILED"}, "status is 'FAILED'"),
        ({"status": 404}, "status is 404"),
    ],
}


@pytest.mark.parametrize(
    ("find", "given", "expected"),
    [(find, *case) for find, found in FINDINGS.items() for case in found],
    ids=lambda value: getattr(value, "__name__", None) or json.dumps(value, ensure_ascii=False),
)
def test_evidence_is_named(find, given, expected):
    """The finding names the member or header with its number or flag, never other text."""
    assert find(given) == expected


REPORT_PAGES = [
    {"next": {"link": {"href": "/page/2"}}},
    *({name: 2} for name in ("next", "nextPage", "next_page", "next-page", "NEXT_PAGE")),
    *({name: "b2Z"} for name in ("nextUrl", "next_link", "nextCursor", "nextPageToken")),
    *({name: "/p"} for name in ("next_token", "next_page_url", "@odata.nextLink")),
    *({name: True} for name in ("hasMore", "has_more", "hasNext", "hasNextPage")),
    *({name: 2} for name in ("pages", "number_of_pages", "page-count", "numPages", "last_page")),
    *({"totalPages": count} for count in ("3", 7.0, "0002")),
    {"_links": {"self": {"href": "/page/1"}, "next": {"href": "/page/2"}}},
    {"a": {"b": {"c": {"d": {"hasNextPage": True}}}}},
    {"pages": {"next": "/page/2", "per_page": 50}},
    {"links": [{"rel": "self", "href": "/page/1"}, {"rel": "next", "href": "/page/2"}]},
]
REPORT_NONE = [
    *({"next": nothing} for nothing in (None, "", "  ", False, 0, {}, [], {"href": None})),
    *({"pages": one} for one in (0, 1, "1", 1.0, None, True, "many", "²", {})),
    *({name: False} for name in ("hasMore", "has_next_page")),
    {"pages": {"next": None, "total_pages": 1}},
    {"links": {"next": None, "self": "/page/1", "last": "/page/1"}},
    {"page": 3, "nextReview": "2026-01-01", "context": "next"},
    {"a": {"b": {"c": {"d": {"e": {"next": "deeper than any envelope"}}}}}},
    {"links": [{"rel": "self", "href": "/next"}, "next"]},
]


@pytest.mark.parametrize("members", REPORT_PAGES, ids=json.dumps)
def test_members_in_many_spellings_report_further_pages(members):
    """Links, cursors, flags and page counts are found at up to four levels."""
    assert further_pages(members) is not None


@pytest.mark.parametrize("members", REPORT_NONE, ids=json.dumps)
def test_members_of_a_last_page_report_none(members):
    """Null, false, empty, a single page and members of other names are no evidence."""
    assert further_pages(members) is None


SHORTFALLS = [
    ({"total": 12}, {}, "total is 12", None),
    ({"total": 12, "limit": 6}, {}, "total is 12", " (limit is 6)"),
    ({"total": 12, "limit": 50}, {}, "total is 12", None),
    ({"meta": {"total": "12", "offset": 0}}, {}, "meta.total is 12", " (meta.offset is 0)"),
    ({"total": 12, "page": 2}, {}, "total is 12", " (page is 2)"),
    ({"total": 12, "page": 1}, {}, "total is 12", None),
    ({}, {"X-Total-Count": "12"}, "X-Total-Count is 12", None),
    ({}, {"X-Total": "12", "X-Per-Page": "6"}, "X-Total is 12", " (X-Per-Page is 6)"),
    ({}, {"Content-Range": "courses */12"}, "Content-Range is */12", None),
    ({}, {"Content-Range": "items 0-5/12"}, "Content-Range is 0-5/12", ""),
]


@pytest.mark.parametrize(("members", "headers", "found", "page"), SHORTFALLS)
def test_a_total_above_the_number_of_items_is_a_shortfall(members, headers, found, page):
    """With a page size, an offset, a later page or a range, the response is paginated."""
    reason = f"{found}, but the response has 6 items{page or ''}"
    assert shortfall(members, headers, 6) == (reason, page is not None)


HEALTHY_MEMBERS = {
    "Spring": {"totalPages": 1, "totalElements": 6, "last": True, "first": True, "size": 20}
    | {"number": 0, "numberOfElements": 6, "sort": {"sorted": False}},
    "Spring HATEOAS": {"page": {"size": 20, "totalElements": 6, "totalPages": 1, "number": 0}},
    "Laravel": {
        "links": {"first": "/?page=1", "last": "/?page=1", "prev": None, "next": None},
        "meta": {"current_page": 1, "last_page": 1, "per_page": 15, "from": 1, "to": 6}
        | {"total": 6, "links": [{"url": None, "label": "Next &raquo;", "active": False}]},
    },
    "Laravel simple": {"current_page": 1, "next_page_url": None, "prev_page_url": None},
    "Strapi": {"meta": {"pagination": {"page": 1, "pageSize": 25, "pageCount": 1, "total": 6}}},
    "Relay": {"pageInfo": {"hasNextPage": False, "endCursor": "Y3Vyc29yOjY=", "startCursor": "a"}},
    "JSON:API": {"jsonapi": {"version": "1.1"}, "links": {"self": "/courses", "next": None}},
    "JSON:API last": {"links": {"self": "/c", "first": "/c", "last": "/c"}, "meta": {"total": 6}},
    "OData": {"@odata.context": "https://a.example/$metadata#Courses", "@odata.count": 6},
    "NestJS": {"meta": {"itemCount": 6, "totalItems": 6, "itemsPerPage": 10, "totalPages": 1}},
    "Zendesk": {"meta": {"has_more": False, "after_cursor": "eyJv"}, "links": {"next": None}},
    "Intercom": {"pages": {"type": "pages", "next": None, "page": 1, "total_pages": 1}},
    "Slack": {"ok": True, "response_metadata": {"next_cursor": ""}},
    "Stripe": {"object": "list", "has_more": False, "url": "/v1/courses"},
    "Jira": {"startAt": 0, "maxResults": 50, "total": 6, "isLast": True},
    "Django": {"count": 6, "next": None, "previous": None},
    "HAL": {"_links": {"self": {"href": "/courses"}}, "count": 6, "total": 6},
    "Elasticsearch": {"took": 3, "timed_out": False, "_shards": {"failed": 0, "total": 5}},
    "GitHub": {"total_count": 6, "incomplete_results": False},
    "status text": {"status": "success", "success": True, "statusCode": 200},
    "status number": {"status": 200, "message": "OK"},
    "empty errors": {"error": None, "errors": []},
    "error code 0": {"error": {"code": 0, "message": "OK"}},
    "error code 200": {"error": {"code": "200", "message": "success"}},
    "error with empty members": {"error": {"code": None, "message": ""}, "errors": {}},
    "error false": {"error": False, "errors": 0},
    "equal total as text": {"meta": {"total": "6", "limit": "6", "offset": "0"}},
    "total below": {"total": 5},
    "totals of other things": {"hours": {"total": 1200}, "stats": {"count": 9}, "totalHours": 99},
    "offset and limit that hold all": {"offset": 0, "limit": 100, "total": 6},
    "false as text": {"hasMore": "false", "next": "null"},
    "a later revision": {"revision": 3, "page": "courses", "version": 2},
}
HEALTHY_HEADERS = {
    "bytes": {"Content-Range": "bytes 0-999/1000"},
    "items, all of them": {"Content-Range": "items 0-5/6"},
    "total": {"X-Total-Count": "6", "X-Total": "6"},
    "GitLab": {"X-Total": "6", "X-Per-Page": "20", "X-Page": "1", "X-Prev-Page": ""},
    "rate limit": {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "Retry-After": "9"},
    "link to itself": {"Link": '</next>; rel="self", </courses>; rel="last"'},
    "empty or single page": {"X-Next-Page": "", "X-Total-Pages": "1", "X-Pagination": "[["},
    "an unknown charset": {"Content-Type": "application/json; charset=x-unknown"},
    "ASP.NET": {"X-Pagination": '{"TotalCount":6,"PageSize":10,"TotalPages":1,"HasNext":false}'},
}


HEALTHY = {
    **{name: ({**members, "data": SIX}, {}) for name, members in HEALTHY_MEMBERS.items()},
    **{name: (SIX, headers) for name, headers in HEALTHY_HEADERS.items()},
}


@cases("document, headers", HEALTHY)
def test_a_healthy_response_raises_no_suspicion(document, headers):
    """Members and headers that real servers add to a complete list are no evidence against it."""
    check_status(COURSES, "http://mock", 200, headers)
    catalog = split(COURSES, json.dumps(document, ensure_ascii=False).encode(), headers)
    assert (list(catalog), catalog.shortfall) == (SIX, None)


def test_deep_members_end_no_search():
    """Nesting beyond any envelope is neither searched nor fatal, and counts as present."""
    deep = {}
    for _ in range(900):
        deep = {"page": deep, "meta": deep}
    found = (further_pages(deep), shortfall(deep, {}, 6), error_beside({"error": deep}))
    assert found == (None, None, "error is present")

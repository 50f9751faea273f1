"""Which members and headers are evidence against a complete catalog, and which are not."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from async_client.evidence import Evidence, find_evidence
from async_client.response import Response, judge
from async_client.signs import DESCRIBING, SIGNS
from tests.support.cases import cases
from tests.support.fetching import COURSES

SIX = [{"id": f"course-{number}", "title": "Décisions"} for number in range(6)]
SECRET = "s3cret"


def evidence(members, headers=()):
    return find_evidence(members, dict(headers), len(SIX))


def test_each_line_of_the_table_has_names_of_its_own_and_says_what_it_rests_on():
    lines = [(kind, place, name) for kind, place, names, _ in SIGNS for name in names.split()]
    assert len(lines) == len(set(lines))
    assert all(rests_on for *_, rests_on in SIGNS)


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"more_items_in_collection": True}, "more_items_in_collection is true"),
        ({"meta": {"hasMore": "true"}}, "meta.hasMore is 'true'"),
        ({"isLast": False}, "isLast is false"),
        ({"last": False, "totalElements": 6}, "last is false"),
        ({"after_cursor": "Y3Vyc29y"}, "after_cursor is present"),
        ({"pageInfo": {"endCursor": "Y3", "hasNextPage": True}}, "pageInfo.endCursor is present"),
        ({"meta": {"lastPage": "3"}}, "meta.lastPage is 3"),
        ({"page\n": {"next!\r": 2}}, "page.next is 2"),
        ({SECRET: {"nextCursor": SECRET}}, "….nextCursor is present"),
        ({"links": [{"rel": "next", "href": SECRET}]}, "links has rel=next"),
        ({"next": 10**12}, "next is present"),
    ],
    ids=lambda value: json.dumps(value, ensure_ascii=False),
)
def test_a_finding_contains_known_names_numbers_and_words_alone(members, found):
    assert evidence(members) == Evidence(pages=found)


@cases(
    "members",
    {
        "ParaStor": ({"has_more_data": True},),
        "Salesforce": ({"totalSize": 6, "done": False, "nextRecordsUrl": "/query/01g-2000"},),
        "Salesforce, total alone": ({"totalSize": 12, "done": True},),
        "Azure DevOps": ({"count": 6, "continuationToken": "abc"},),
        "Azure": ({"value": [], "nextLink": "https://a.example/?$skiptoken=2"},),
        "Amazon S3": ({"IsTruncated": True, "NextContinuationToken": "abc"},),
        "Azure Blob Storage": ({"NextMarker": "abc"},),
        "Twilio": ({"next_page_uri": "/2010/Calls.json?Page=1"},),
        "Algolia": ({"nbHits": 12, "nbPages": 1},),
        "Algolia pages": ({"page": 0, "nbPages": 2, "hitsPerPage": 6},),
        "Apache Solr": ({"response": {"numFound": 12, "start": 0}},),
        "DataTables": ({"draw": 1, "recordsTotal": 12, "recordsFiltered": 12},),
        "CouchDB": ({"total_rows": 12, "offset": 0},),
        "PagerDuty": ({"limit": 6, "offset": 0, "total": None, "more": True},),
        "iFixit": ({"totalResults": 6, "moreResults": True},),
        "Zendesk exports": ({"end_of_stream": False, "count": 6},),
        "Zoho CRM": ({"info": {"per_page": 6, "count": 6, "more_records": True}},),
        "Cloudflare": ({"result_info": {"page": 1, "total_count": 12, "count": 6}},),
        "LinkedIn": ({"paging": {"start": 0, "count": 6, "total": 12}},),
        "Slack": ({"ok": True, "response_metadata": {"next_cursor": "dXNlcjpV"}},),
        "Facebook": ({"paging": {"cursors": {"after": "MTAx"}, "next": "https://a.example/"}},),
        "The Guardian": ({"response": {"total": 12, "pages": 2, "currentPage": 1}},),
        "Django": ({"count": 12, "next": "https://a.example/?page=2", "previous": None},),
        "OData": ({"@odata.nextLink": "https://a.example/?$skip=6"},),
        "PayPal": ({"links": [{"href": "/?page=2", "rel": "next", "method": "GET"}]},),
        "links of another case, or several": (
            {"links": [{"rel": ["self", "NEXT"], "href": "/"}]},
        ),
        "a pager": ({"pager": {"cursor": "abc"}},),
    },
)
def test_styles_of_real_apis_are_recognized(members):
    assert evidence(members) != Evidence()


REPORT_PAGES = [
    {"next": {"link": {"href": "/page/2"}}},
    *({name: 2} for name in ("next", "nextPage", "next_page", "next-page", "NEXT_PAGE")),
    *({name: "b2Z"} for name in ("nextUrl", "next_link", "nextCursor", "nextPageToken")),
    *({name: "/p"} for name in ("next_token", "next_page_url", "nextHref", "nextOffset")),
    *({name: True} for name in ("hasMore", "has_more", "hasNext", "hasNextPage", "moreItems")),
    *({name: True} for name in ("hasMoreResults", "morePages", "moreData", "truncated")),
    *({name: 2} for name in ("pages", "number_of_pages", "page-count", "numPages", "last_page")),
    *({"totalPages": count} for count in ("3", 7.0, "0002")),
    {"_links": {"self": {"href": "/page/1"}, "next": {"href": "/page/2"}}},
    {"a": {"b": {"c": {"d": {"hasNextPage": True}}}}},
    {"meta": {"page": {"info": {"links": {"next": "/page/2"}}}}},
    {"pages": {"next": "/page/2", "per_page": 50}},
    {"links": {"next": None}, "meta": {"after_cursor": "abc"}},
]


@pytest.mark.parametrize("members", REPORT_PAGES, ids=json.dumps)
def test_members_in_many_spellings_report_further_pages(members):
    assert evidence(members).pages is not None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Link": '</v1?page=2>; rel="next"'}, "Link has rel=next"),
        ({"Link": "</page/2>; title=a; rel=next"}, "Link has rel=next"),
        ({"Link": '</1>; rel="prev", </3>; rel="last NEXT"'}, "Link has rel=next"),
        ({"X-Next-Page": "2"}, "X-Next-Page is 2"),
        ({"Next-Page": "2"}, "Next-Page is 2"),
        ({"x-total-pages": "2"}, "x-total-pages is 2"),
        ({"Total-Pages": "2"}, "Total-Pages is 2"),
        ({"X-WP-TotalPages": "4"}, "X-WP-TotalPages is 4"),
        ({"X-Pagination-Page-Count": "2"}, "X-Pagination-Page-Count is 2"),
        ({"X-Pagination": '{"HasNext":true}'}, "X-Pagination.HasNext is true"),
        ({"Pagination": '{"next":"/2"}'}, "Pagination.next is present"),
        ({"X-Has-More": "true"}, "X-Has-More is 'true'"),
        ({"X-Next-Cursor": SECRET}, "X-Next-Cursor is present"),
        ({"x-ms-continuation": SECRET}, "x-ms-continuation is present"),
        ({"Next-Range": "id ]6..; max=6"}, "Next-Range is present"),
    ],
)
def test_headers_report_further_pages_without_a_body(headers, found):
    assert find_evidence({}, headers) == Evidence(pages=found)


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"error": {"code": 500, "message": "no"}}, "error is present"),
        ({"errors": ["timeout"]}, "errors is present"),
        ({"meta": {"error": SECRET}}, "meta.error is present"),
        ({"error": True}, "error is true"),
        ({"success": False}, "success is false"),
        ({"ok": "false"}, "ok is 'false'"),
        ({"statusCode": 500}, "statusCode is 500"),
        ({"status_code": "503"}, "status_code is 503"),
        ({"status": "error"}, "status is 'error'"),
        ({"status": "FAILED"}, "status is 'failed'"),
        ({"status": 404, "hasMore": True}, "status is 404"),
    ],
)
def test_an_error_beside_the_list_takes_precedence(members, found):
    assert evidence(members) == Evidence(error=found)


@pytest.mark.parametrize(
    ("members", "headers", "found", "page"),
    [
        ({"total": 12}, {}, "total is 12", None),
        ({"total": 12, "limit": 6}, {}, "total is 12", " (limit is 6)"),
        ({"total": 12, "limit": 50}, {}, "total is 12", None),
        ({"meta": {"total": "12", "offset": 0}}, {}, "meta.total is 12", " (meta.offset is 0)"),
        ({"total": 12, "page": 2}, {}, "total is 12", " (page is 2)"),
        ({"total": 12, "page": 1}, {}, "total is 12", None),
        ({"count": 12}, {}, "count is 12", None),
        ({"total": 8, "meta": {"totalSize": 1234}}, {}, "meta.totalSize is 1,234", None),
        ({}, {"X-Total-Count": "12"}, "X-Total-Count is 12", None),
        ({}, {"Total": "12"}, "Total is 12", None),
        ({}, {"X-WP-Total": "12"}, "X-WP-Total is 12", None),
        ({}, {"X-Total": "12", "X-Per-Page": "6"}, "X-Total is 12", " (X-Per-Page is 6)"),
        ({"limit": 6}, {"Total-Count": "12"}, "Total-Count is 12", " (limit is 6)"),
        ({}, {"Content-Range": "courses */12"}, "Content-Range is */12", None),
        ({}, {"Content-Range": "items 0-5/12"}, "Content-Range is 0-5/12", ""),
        ({}, {"Content-Range": "0-5/12"}, "Content-Range is 0-5/12", ""),
        ({}, {"Content-Range": "items 6-11/*"}, "Content-Range is 6-11/*", ""),
    ],
)
def test_a_total_above_the_number_of_items_is_a_shortfall(members, headers, found, page):
    """With a page size, an offset, a later page or a range, the response is paginated."""
    reason = f"{found}, but the response has 6 items{page or ''}"
    expected = Evidence(shortfall=reason) if page is None else Evidence(pages=reason)
    assert evidence(members, headers) == expected


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
    "Zendesk exports": {"end_of_stream": True, "cursor": "eyJv", "count": 6},
    "Intercom": {"pages": {"type": "pages", "next": None, "page": 1, "total_pages": 1}},
    "Slack": {"ok": True, "response_metadata": {"next_cursor": ""}},
    "Stripe": {"object": "list", "has_more": False, "url": "/v1/courses"},
    "Jira": {"startAt": 0, "maxResults": 50, "total": 6, "isLast": True},
    "Django": {"count": 6, "next": None, "previous": None},
    "HAL": {"_links": {"self": {"href": "/courses"}}, "count": 6, "total": 6},
    "Elasticsearch": {"took": 3, "timed_out": False, "_shards": {"failed": 0, "total": 5}},
    "GitHub": {"total_count": 6, "incomplete_results": False},
    "LinkedIn": {"paging": {"start": 0, "count": 10, "total": 6, "links": []}},
    "Salesforce": {"totalSize": 6, "done": True},
    "Facebook": {"paging": {"cursors": {"before": "MTAx", "after": "MTA0"}}},
    "PageHelper": {"total": 6, "pages": 1, "nextPage": 0, "isLastPage": True},
    "status text": {"status": "success", "success": True, "statusCode": 200},
    "status number": {"status": 200, "message": "OK"},
    "empty errors": {"error": None, "errors": []},
    "error code 0": {"error": {"code": 0, "message": "OK"}, "errors": [{"code": 0}]},
    "error code in text": {"error": {"code": "0000", "message": "done"}},
    "error code 200": {"error": {"code": "200", "message": "success"}},
    "error with empty members": {"error": {"code": None, "message": ""}, "errors": {}},
    "error false": {"error": False, "errors": 0},
    "error of success": {"error": "Success", "meta": {"error": "No error", "errors": "OK"}},
    "equal total as text": {"meta": {"total": "6", "limit": "6", "offset": "0"}},
    "total below": {"total": 5},
    "totals of other things": {"hours": {"total": 1200}, "stats": {"count": 9}, "totalHours": 99},
    "offset and limit that hold all": {"offset": 0, "limit": 100, "total": 6},
    "false as text": {"hasMore": "false", "next": "null"},
    "a later revision": {"revision": 3, "page": "courses", "version": 2},
    "what comes next": {"release": {"next": "2027-01"}, "meta": {"schedule": {"next": "Monday"}}},
    "other pages and cursors": {"limits": {"pages": 40}, "sync": {"cursor": "abc"}},
    "more as text": {"more": "Read on", "links": {"more": "/help"}, "moreResults": "NO_MORE"},
    "errors of other objects": {"checks": {"error": "timeout", "success": False, "status": 500}},
    "no next": {f"next {n}": nothing for n, nothing in enumerate((None, "", 0, {}, [], {"a": 0}))},
    "one page": {"totalPages": "1", "pageCount": 1.0, "numPages": None, "nbPages": "many"},
    "a link without a target": {"links": [{"rel": "next", "href": None}, {"rel": "nextUp"}, "a"]},
    "a next deeper than any envelope": {"a": {"b": {"c": {"d": {"e": {"nextPage": "/2"}}}}}},
    **{f"next {nothing}": {"next": nothing} for nothing in (None, "", " ", False, 0, {}, [])},
    **{f"pages {one}": {"pages": one} for one in (0, 1, "1", 1.0, None, True, "many", "²", {})},
}
HEALTHY_HEADERS = {
    "bytes": {"Content-Range": "bytes 0-999/1000"},
    "items, all of them": {"Content-Range": "items 0-5/6"},
    "total": {"X-Total-Count": "6", "X-Total": "6"},
    "GitLab": {"X-Total": "6", "X-Per-Page": "20", "X-Page": "1", "X-Prev-Page": ""},
    "rate limit": {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "Retry-After": "9"},
    "link to itself": {"Link": '</next>; rel="self", </courses>; rel="last"'},
    "links of other relations": {"Link": '</a;rel=next>; rel="next-archive"; title="; rel=next"'},
    "empty or single page": {"X-Next-Page": "", "X-Total-Pages": "1", "X-Pagination": "[["},
    "an unknown charset": {"Content-Type": "application/json; charset=x-unknown"},
    "ASP.NET": {"X-Pagination": '{"TotalCount":6,"PageSize":10,"TotalPages":1,"HasNext":false}'},
    "other counts": {"X-Count": "999", "X-Request-Next": "1", "X-Upload-Limit": "5", "Pages": "9"},
}


@cases(
    "document, headers",
    {name: ({**members, "data": SIX}, {}) for name, members in HEALTHY_MEMBERS.items()}
    | {name: (SIX, headers) for name, headers in HEALTHY_HEADERS.items()},
)
def test_a_healthy_response_raises_no_suspicion(document, headers):
    response = Response(200, headers, json.dumps(document, ensure_ascii=False).encode())
    catalog = judge(COURSES, "http://mock", response, datetime.now(timezone.utc))
    assert (catalog.items(), catalog.shortfall) == (SIX, None)


@pytest.mark.parametrize("name", DESCRIBING.split())
def test_next_counts_in_an_object_that_describes_the_list_but_not_within_its_others(name):
    pages = [evidence(m).pages for m in ({name: {"next": 2}}, {name: {"a": {"next": 2}}})]
    assert pages == [f"{name}.next is 2", None]


def test_nesting_beyond_any_envelope_is_not_searched_and_counts_as_an_error():
    deep = {}
    for _ in range(900):
        deep = {"page": deep, "meta": deep}
    assert evidence(deep) == Evidence()
    assert evidence({"error": deep}) == Evidence(error="error is present")

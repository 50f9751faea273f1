"""Every message of the connector, for docs/messages.md: text, cause, what to do and urgency.

The texts are those of the code itself, called with example values. Written here are the cause, the
urgency, and the advice where a message contains none. A test compares the page with the texts in
the code, so that none is missing.
"""

from __future__ import annotations

import asyncio
import errno
import re
import ssl
from functools import partial
from os.path import commonprefix

import aiohttp

import report
from async_client import CatalogFetched, FetchError, RetryScheduled, validate_configuration
from async_client.environment import proxy_for, tls_context
from async_client.errors import FinalError, too_large
from async_client.status import LOWER_RATE
from changes import Outcome, SnapshotEntry, StateTooLargeError
from changes.snapshot import encode
from devkit import examples as eg

FIRST_SECTION = "Configuration"


def _section(heading: str, about: str) -> str:
    heads = "| message | cause | what to do | urgency |\n|---|---|---|---|"
    return f"\n## {heading}\n\n{about}\n\n{heads}"


def _row(urgency: str, cause: str, *messages: object, advice: str = "") -> str:
    """Return a row of the table; without `advice`, it has that of the messages."""
    texts, advices = {}, {}
    for message in messages:
        what, to_do = str(message), advice
        if isinstance(message, FetchError):
            what, to_do = message.reason, f"{message.advice}."
        elif isinstance(message, ValueError):  # what, and after a colon what to do
            what, to_do = re.split("[:;] ", what, maxsplit=1)
        elif not advice:
            what, _, to_do = what.partition(". ")
        texts[f"``{what}``" if "`" in what else f"`{what}`"] = True
        advices[to_do[:1].upper() + to_do[1:] or "Nothing."] = True
    shared = commonprefix([*advices])  # noqa: RUF071 (of texts)
    to_do = shared + " / ".join(each[len(shared) :] for each in advices).replace(". /", " /")
    return f"| {'<br>'.join(texts)} | {cause} | {to_do} | {urgency} |"


_now = partial(_row, "act now")
_later = partial(_row, "wait for the next sync")
_fine = partial(_row, "nothing to do")

_BAD_URLS = ("ftp://a", "https://a b", "https://u@a", "https://", "https://a?b", "https://a:b")
_KEYS = dict.fromkeys(["bearer_token", "token", "colour", "a1"], "x")
_IGNORED = [ValueError(note) for note in validate_configuration(_KEYS).notes]
_NO_CA = eg.raised(tls_context, REQUESTS_CA_BUNDLE="ca.pem")

_UNAVAILABLE = (500, 502, 503, 504, 520, 408, 425)
_MOVED = [eg.status(302, Location=url) for url in ("https://login.example/", "https://[")]
_REFUSED = OSError(errno.ECONNREFUSED, "")
_LOST: tuple[Exception, ...] = (
    aiohttp.ClientConnectorDNSError(eg.PLACE, OSError(-2, "unknown name")),
    aiohttp.ClientConnectorError(eg.PLACE, _REFUSED),
    aiohttp.ClientConnectorSSLError(eg.PLACE, ssl.SSLError(1, "")),
    aiohttp.ClientProxyConnectionError(eg.PLACE, _REFUSED),
    aiohttp.ClientHttpProxyError(eg.PLACE, (), status=502),
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientPayloadError(),
    aiohttp.ClientResponseError(eg.PLACE, (), status=400),
    aiohttp.ClientOSError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR]"),
    ConnectionResetError(),
    aiohttp.ClientError(),
)
_UNTRUSTED = [*map(eg.certificate, ("self-signed certificate in certificate chain", ""))]
_STRICT = [eg.certificate("Missing Authority Key Identifier", n) for n in (85, 86, 89, 92, 81)]
_DEMANDED = aiohttp.ClientOSError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")
_PROXY_407 = aiohttp.ClientHttpProxyError(eg.PLACE, (), status=407)
_SOCKS = eg.raised(proxy_for, eg.URL, HTTPS_PROXY="socks5://a")
_LONG_WAIT = eg.out_of_time(eg.status(429, Retry_After="900"))
_SECONDS, _BYTES = f"{eg.LIMITS.endpoint_seconds:g} s", eg.LIMITS.body_bytes
_NO_TURN = f"the rate limit left no time for another attempt within {_SECONDS}"

_NO_CATALOGS = (b"<html>", b"", b"{", b"7", b"{}", b"\xff")
_ERRORS = (b'{"data": [], "success": false}', b'{"data": [], "error": "\xc3\xa4"}')
_PAGES = (b'{"data": [], "hasMore": true}', b'{"data": [{"id": "a"}], "total": 9, "limit": 1}')
_LARGE = (b" " * (_BYTES + 1), *(b"[%b0]" % (b"0," * n) for n in (1_000_001, 100_001)))
_BODY_TOO_LARGE = too_large(f"a body of more than {_BYTES:,} bytes")

_FIRST, *_OTHERS = eg.ITEMS
_EMPTIED = [{**item, "chapters": []} for item in eg.ITEMS]
_VALUES = ({"live": "x"}, {"x" * 1_001: 1}, dict.fromkeys(map(str, range(501)), 1))
_FLOATS = dict.fromkeys("abcdef", 1e39)
_ENTRY = encode("courses", {"course-1": SnapshotEntry(b"", ())})
_DAMAGED = ({"snapshot": 1}, {"snapshot": "\0"}, {"snapshot": "0" * 10}, _ENTRY)

_DOWN = eg.failed(503)
_ONE_DOWN = eg.end({**dict.fromkeys(eg.NAMES, Outcome(unchanged=6)), "courses": _DOWN})
_ALL_DOWN = eg.end({name: eg.failed(503, name) for name in eg.NAMES})
_ONLY_ONE = eg.end({"courses": _DOWN}, ["courses"])
_INTERRUPTED = "The sync was interrupted (KeyboardInterrupt)."
_SEE = "See the line on the catalog."
_TOKEN_REJECTED = eg.end({"assessments": eg.failed(401, "assessments")})
_REPLACE = "[Replace the token](operating.md#replacing-the-token)."

_RETRY = RetryScheduled("courses", 1, 6, eg.status(503).reason, 0.7)
_LIMITED = RetryScheduled("courses", 1, None, eg.status(429).reason, 15.0)
_FETCHED = CatalogFetched("courses", 764, 2_600_000, 1.41, 2)
_DONE = Outcome(new=1, changed=1, unchanged=4, deleted=1, upserted_rows=3, deleted_rows=2)
_BOTH = {"courses": _DONE, "tracks": Outcome()}
_WRITTEN = [report.written(name, each, 0.17) for name, each in _BOTH.items()]

LINES = (
    _section(
        FIRST_SECTION, "Errors end the sync or setup test before any request; warnings do not."
    ),
    _now("no token, or still the placeholder", *eg.refused("bearer_token", "")),
    _now("the token was pasted with something else", *eg.refused("bearer_token", "a b")),
    _now("not the address of an API", *eg.refused("base_url", *_BAD_URLS)),
    _now("a value without quotes in the file", *eg.refused("base_url", 1)),
    _now("no number", *eg.refused("request_timeout_seconds", "x")),
    _now("not the name of a catalog", *eg.refused("skip_endpoints", "course")),
    _now("all names are listed", *eg.refused("skip_endpoints", ",".join(eg.NAMES))),
    _later("a misspelt key; the sync continues without it", _IGNORED[0]),
    _later("a key of no setting", *_IGNORED[1:]),
    _now("http, and not to this machine", report.unencrypted("http://api.example")),
    _now("a path that is wrong, or a file without certificates", _NO_CA),
    _section("Requests", "The reason, in the line on an attempt and in the error of a catalog."),
    _now("wrong, expired or revoked token", eg.status(401)),
    _now("your license does not include the catalog", eg.status(403)),
    _now("a firewall or proxy, not the API", eg.status(403, Content_Type="text/html")),
    _now("wrong `base_url`, or there is no such catalog", *map(eg.status, (404, 410, 204))),
    _later("too many requests with this token", eg.status(429)),
    _later("too many requests: `Retry-After`, or none remaining", eg.status(403, Retry_After="1")),
    _later("DataCamp's service has a problem", *map(eg.status, _UNAVAILABLE)),
    _now("the request is refused as such", *map(eg.status, (400, 405, 501))),
    _now("the API has moved, or a login page intervenes", *_MOVED),
    _now("the API has moved on its host", eg.status(301, Location="/v2")),
    _later("the API or a proxy does not respond", eg.network(aiohttp.ServerTimeoutError())),
    _later("the network or the service is slow", eg.network(asyncio.TimeoutError())),
    _later("the network, a proxy or the service", *map(eg.network, _LOST)),
    _now("a proxy with its own CA, or a wrong host", *_UNTRUSTED),
    _now("a certificate of your own CA that Python 3.12 still accepted", *_STRICT),
    _now("another server than DataCamp's", eg.network(_DEMANDED)),
    _now("a proxy with accounts", eg.network(_PROXY_407)),
    _now("an address that cannot be used", eg.network(aiohttp.InvalidURL(""))),
    _now("a SOCKS proxy, or no URL, in the variable or the system's proxy setting", _SOCKS),
    _later("the requested wait exceeds 10 minutes", _LONG_WAIT),
    _later("the attempts took 10 minutes", eg.out_of_time(eg.status(503))),
    _later("too many requests for 10 minutes", FinalError(_NO_TURN, LOWER_RATE)),
    _section("Responses", "Reasons like those of requests, for an HTTP 200 that is not used."),
    _later("something else than the API responded", *map(eg.ok, _NO_CATALOGS)),
    _later("a proxy encodes bodies", eg.ok(Content_Encoding="br")),
    _later("the service reports an error beside the list", *map(eg.ok, _ERRORS)),
    _later("the API renamed the id, or sends something else", eg.ok(b'[{"key": "course-1"}]')),
    _now("the API paginates now", *map(eg.ok, _PAGES), eg.ok(b"[]", Link="<https://a>; rel=next")),
    _now("not a catalog, or an API that changed", _BODY_TOO_LARGE, *map(eg.ok, _LARGE)),
    _section("Rows and values", "Warnings. The catalog is written, but for what they name."),
    _later(
        "the API sent a record whose id is missing, unusable or repeated; other rows are written",
        *eg.rejected({}, {"id": {}}, {"id": "\0"}, {"id": "x" * 1_001}, None),
        *eg.rejected({"id": 1}, {"id": 1}, {"id": 2, "chapters": [{"id": 3}, {"id": 3}, 7]}),
        advice="If it stays, report the record to DataCamp.",
    ),
    _fine(
        "the API sent another type than the column has, or more fields than a table may have",
        *(eg.concern(*eg.ITEMS, {"id": 1, **values}) for values in (*_VALUES, _FLOATS)),
        advice="If the values matter, report them to DataCamp.",
    ),
    _later("another value in the list's place", eg.concern({**_FIRST, "chapters": 7}, *_OTHERS)),
    _later(
        "many [children](behavior.md#deferred-changes-of-children) are missing, or unreadable",
        *(eg.concern(*_EMPTIED), eg.concern({**_FIRST, "chapters": [{}]}, *_OTHERS)),
    ),
    _later(
        "the response is [suspicious](behavior.md#deferred-deletes-of-items)",
        *(eg.concern(), eg.concern(_FIRST), eg.concern({})),
        eg.concern(*_OTHERS, shortfall="meta.total is 6, but the response has 5 items"),
    ),
    _later(
        "a total in the response is above the number of its items, but no item is missing",
        eg.concern(*eg.ITEMS, shortfall="meta.total is 9, but the response has 6 items"),
    ),
    _later("an initial sync or a re-sync of an empty catalog", report.empty("courses")),
    _section("Saved state", "Warnings at the beginning of a sync, and one error."),
    _fine("another connector or version wrote the state", *eg.notes("version", None, 2)),
    _fine("`base_url` changed", *eg.notes("source", "https://b")),
    _fine("the state was edited", *eg.notes("writing", "lessons"), *eg.notes("endpoints", None)),
    _fine("the state was damaged", *eg.notes("endpoints", *({"courses": x} for x in _DAMAGED))),
    _fine("a sync of version 1.0.0 was killed", *eg.notes("writing", "courses")),
    _fine("another version wrote the state", *eg.notes("endpoints", {"lessons": {}})),
    _now("more items than Fivetran's state can describe", StateTooLargeError("courses")),
    _section("The end of a failed sync", "The last line of the log, and the error."),
    _later("a catalog failed for a reason [above](#requests)", _DOWN, *_ONE_DOWN, advice=_SEE),
    _later("all catalogs failed, mostly for one reason", *_ALL_DOWN, *_ONLY_ONE, advice=_SEE),
    _now("the token is wrong, expired or revoked", *_TOKEN_REJECTED, advice=_REPLACE),
    _later("the process was stopped", _INTERRUPTED, advice="Sync again."),
    _section("Setup test", 'What the test "Read every catalog" reports if it fails.'),
    _now("the token is wrong, expired or revoked", eg.setup_test(401, "courses")),
    _now("your license does not include the catalog", eg.setup_test(403, "tracks")),
    _now("wrong `base_url`, or a token that may read nothing", eg.setup_test(403, *eg.NAMES)),
    _later("another failure, explained [above](#requests)", eg.setup_test(503, "courses")),
    _later("such a failure of all catalogs", eg.setup_test(503, *eg.NAMES)),
    _section("The course of a sync", "Lines at the level INFO."),
    _fine("an initial sync begins", report.started(eg.HOST, eg.NAMES, [])),
    _fine("another sync begins", report.started(eg.HOST, eg.NAMES, eg.NAMES[1:])),
    _fine("an attempt failed, and another follows", report.retrying(_RETRY)),
    _fine("DataCamp limits the rate; shown for the first time only", report.retrying(_LIMITED)),
    _fine("a catalog arrived, and is written in its turn", report.fetched(_FETCHED, "tracks")),
    _fine("a catalog was compared, and what changed was written", *_WRITTEN),
    _fine(
        "the last line of a successful sync", report.finished(_BOTH, [*_BOTH]), advice="Nothing."
    ),
    "",
)

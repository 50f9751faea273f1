"""The documents say what the code does: generated parts are fresh, named files and texts exist."""

from __future__ import annotations

import re
import ssl

import pytest
from aiohttp import ClientConnectorCertificateError, ServerTimeoutError

import report
from async_client import Limits, Settings, validate_configuration
from async_client.client import _network_failure, _timed_out
from async_client.errors import FetchError
from async_client.response import check_status, split
from changes import Outcome, Progress, resume
from docs import generate
from endpoints import ENDPOINTS
from flatten import Rejected
from tests.recording import failed, refused

README = generate.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", generate.documents(), ids=lambda path: path.name)
def test_generated_documents_are_fresh(path):
    """Running the generator would change nothing: tables and diagram follow from ENDPOINTS."""
    assert path.read_text(encoding="utf-8") == generate.documents()[path]


def test_links_in_the_readme_lead_somewhere():
    """Each relative link of the README names a file that is there."""
    links = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [
        link
        for link in links
        if not link.startswith("http") and not (generate.PROJECT / link).exists()
    ]
    assert missing == []


def said():
    """Collect what the code says in the cases that the README explains."""
    courses = ENDPOINTS[-1]
    silence = _timed_out(ServerTimeoutError(), Settings("token"), Limits())
    certificate = ClientConnectorCertificateError(None, ssl.SSLCertVerificationError("no"))
    texts = [silence.reason, _network_failure(certificate).reason]
    texts += [
        _failure(check_status, courses, "http://a", status, {"Location": "/b"})
        for status in (403, 404, 302)
    ]
    texts += [
        _failure(split, courses, body) for body in (b"<html>", b'{"data": [], "next": "/2"}')
    ]
    texts += [report.failure([failed("courses"), failed("tracks")], 6)]
    texts += [report.failure([refused("courses")], 6)]
    outcome = Outcome(rejected=2, held_back=2, first_rejected=[Rejected("course", "?", "x")])
    outcome.bad_values["course", "live"] = 2
    texts.append(report.concerns("courses", outcome))
    texts += resume({"version": 2}, "http://a", ["courses"]).notes
    interrupted = Progress("http://a").state("courses")
    texts += resume(interrupted, "http://a", ["courses"]).notes
    with pytest.raises(ValueError, match="bearer_token") as missing:
        validate_configuration({})
    return "\n".join([*texts, str(missing.value)])


def _failure(function, *arguments):
    with pytest.raises(FetchError) as caught:
        function(*arguments)
    return caught.value.reason


def explained():
    """List the messages that the README's error table explains."""
    chapter = README.split("## Error handling")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \|", chapter, re.MULTILINE)


@pytest.mark.parametrize("message", explained())
def test_messages_in_the_error_table_are_those_of_the_code(message):
    """Every message that the README explains is one that the code says, word for word."""
    pattern = re.escape(message).replace("…\\ ", r"[\d\w]+ ").replace("\\ …", r" \w+")
    assert re.search(pattern, said())


def test_the_error_table_is_found():
    """The table above has as many rows as the README shows."""
    assert len(explained()) == 15

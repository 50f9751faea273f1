"""What can go wrong between a request and a catalog.

FetchError                   one attempt failed; its text contains neither URL nor token
├── TransientError           another attempt may succeed; the only class that is retried
│   └── RateLimitError       the server limits the rate, so the next attempt has to wait
└── FinalError               another attempt cannot succeed
    ├── TokenRejectedError   the server rejected the token, so it would reject every request
    └── NotIncludedError     the license does not include the catalog, or base_url is wrong

An EndpointError is no part of this tree: it says which endpoint has no catalog in this sync, and
holds the FetchError of the last attempt as its `failure`.
"""

from __future__ import annotations

CHECK_URL = "Check base_url and the proxy, if any"
CHECK_NETWORK = "Check base_url, the network and the proxy, if any"
NEXT_SYNC = "DataCamp's service may be unavailable; the next sync will retry"

# Encodings that some servers use although `Accept-Encoding` does not name them.
UNREQUESTED_ENCODINGS = ("br", "zstd", "compress")


class FetchError(Exception):
    """One attempt failed: `reason` says why, `advice` what to do, both without a full stop."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


class TransientError(FetchError):
    """Another attempt may succeed, after `retry_after_seconds` if the server requested a wait."""

    def __init__(self, reason: str, advice: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason, advice)
        self.retry_after_seconds = retry_after_seconds


class RateLimitError(TransientError):
    """The server limits the rate, until `reset_seconds` from now if it says so."""

    def __init__(
        self,
        reason: str,
        advice: str,
        retry_after_seconds: float | None = None,
        reset_seconds: float | None = None,
    ) -> None:
        super().__init__(reason, advice, retry_after_seconds)
        self.reset_seconds = reset_seconds


class FinalError(FetchError):
    """Another attempt cannot succeed."""


class TokenRejectedError(FinalError):
    """The server rejected the token, so no endpoint can be read."""


class NotIncludedError(FinalError):
    """The server has no such catalog for this token; its endpoint can be skipped."""


class EndpointError(Exception):
    """An endpoint has no catalog in this sync: `attempts` requests to `url` ended in `failure`."""

    def __init__(self, endpoint_name: str, url: str, attempts: int, failure: FetchError) -> None:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        super().__init__(
            f"{endpoint_name}: GET {url} failed after {times}: {failure.reason}. {failure.advice}."
        )
        self.endpoint_name = endpoint_name
        self.url = url
        self.attempts = attempts
        self.failure = failure
        self.reason = failure.reason
        self.advice = failure.advice


def unreadable(problem: str) -> TransientError:
    """Return the error of an HTTP 200 that is no catalog; `problem` is a clause."""
    return TransientError(
        f"HTTP 200, but {problem}", f"{CHECK_URL}; if both are correct, {NEXT_SYNC}"
    )


def unrequested(encoding: str) -> TransientError:
    """Return the error of a body in an encoding that `Accept-Encoding` does not name."""
    return unreadable(f"the body is encoded as {encoding}, which was not requested")


def paginated(evidence: str) -> FinalError:
    """Return the error of a response that is one page of several."""
    return FinalError(
        f"the response is paginated: {evidence}; a partial catalog would delete the rest",
        "DataCamp's API now paginates: update this connector",
    )


def too_large(what: str) -> FinalError:
    """Return the error of a response that is larger than any catalog."""
    return FinalError(f"the response has {what}", f"No catalog is that large. {CHECK_URL}")

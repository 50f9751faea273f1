"""What can go wrong between a request and a catalog.

FetchError                 what one try came to, in words without URL or token
├── TransientError         another attempt may succeed; the only class that is retried
│   └── RateLimitError     the server limits the rate, so that the next attempt has to wait
└── FinalError             another try cannot succeed
    ├── UnauthorizedError  the token is refused, so every other request would be too
    └── NotIncludedError   the license has no such catalog, or base_url is wrong
EndpointError              an endpoint has no catalog in this sync: where, why, what to do
├── TokenRefusedError      the same, and the sync ends
└── NoSuchCatalogError     the same, and the endpoint may be skipped
"""

from __future__ import annotations


class FetchError(Exception):
    """One try failed: `reason` says how, `advice` what the user can do."""

    def __init__(self, reason: str, advice: str) -> None:
        """Both are sentences without their full stop."""
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


class TransientError(FetchError):
    """Another attempt may succeed, not before `retry_after_seconds` if the server named a time."""

    def __init__(self, reason: str, advice: str, retry_after_seconds: float | None = None) -> None:
        """See `FetchError`."""
        super().__init__(reason, advice)
        self.retry_after_seconds = retry_after_seconds


class RateLimitError(TransientError):
    """The server limits the rate; `reset_seconds` is when its window ends, if it says so."""

    def __init__(
        self,
        reason: str,
        advice: str,
        retry_after_seconds: float | None = None,
        reset_seconds: float | None = None,
    ) -> None:
        """See `FetchError`."""
        super().__init__(reason, advice, retry_after_seconds)
        self.reset_seconds = reset_seconds


class FinalError(FetchError):
    """Another try cannot succeed."""


class UnauthorizedError(FinalError):
    """The server refuses the token."""


class NotIncludedError(FinalError):
    """The server has no such catalog for this token: skipping its endpoint is a way out."""


class EndpointError(Exception):
    """An endpoint has no catalog in this sync, after `tries` requests to `url`."""

    def __init__(self, endpoint_name: str, url: str, tries: int, failure: FetchError) -> None:
        """Take the words of the last failure."""
        times = "1 try" if tries == 1 else f"{tries} tries"
        super().__init__(
            f"{endpoint_name}: GET {url} failed after {times}: {failure.reason}. {failure.advice}."
        )
        self.endpoint_name = endpoint_name
        self.url = url
        self.attempts = tries
        self.reason = failure.reason
        self.advice = failure.advice


class TokenRefusedError(EndpointError):
    """The token is refused: no other endpoint can be read either."""


class NoSuchCatalogError(EndpointError):
    """The server has no such catalog for this token."""

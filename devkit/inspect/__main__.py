"""Fetch all catalogs as a sync does, write nothing, and report what the API returned.

The report contains no title, name, description, URL or token. The exit status is 1 if a sync would
fail and 2 if the configuration is unusable.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from unittest.mock import patch

import report
from async_client import (
    Catalog,
    EndpointError,
    Event,
    Limits,
    ResponseReceived,
    RetryScheduled,
    Settings,
    fetch,
    fetching,
    validate_configuration,
)
from async_client.response import Response
from async_client.response import judge as response_judge
from async_client.version import VERSION
from devkit.inspect.facts import Outcome, ReceivedResponse, facts_of
from devkit.inspect.text import as_text
from endpoints import Endpoint

_CONFIGURATION = Path(__file__).resolve().parents[2] / "configuration.json"
_LIMITS = Limits()


def main(arguments: Sequence[str] | None = None, limits: Limits = _LIMITS) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m devkit.inspect", description=__doc__)
    add = parser.add_argument
    add("--configuration", type=Path, default=_CONFIGURATION, help="file to read (%(default)s)")
    add("--json", action="store_true", help="write the report as JSON")
    options = parser.parse_args(arguments)
    try:
        settings = validate_configuration(_configuration(options.configuration))
        if settings.sends_token_unencrypted:
            sys.stderr.write(f"{report.unencrypted(settings.base_url)}\n")
        fetched = _fetch(settings, limits)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    failures = dict.fromkeys(each for _, each, _ in fetched if isinstance(each, EndpointError))
    failure = report.failure(failures, len(fetched)) if failures else None
    endpoints = [facts_of(*each) for each in fetched]
    text = as_text(endpoints, failure)
    if options.json:
        document = {"version": VERSION, "endpoints": endpoints, "failure": failure}
        text = json.dumps(document, indent=1, ensure_ascii=False)
    # A server could return the token, as the name of a field for example.
    token = re.compile(re.escape(settings.bearer_token), re.IGNORECASE)
    sys.stdout.write(token.sub("(token)", text) + "\n")
    return 1 if failure else 0


def _configuration(path: Path) -> Mapping[str, str]:
    """Read a configuration file, and decrypt what `fivetran configuration` encrypted."""
    configuration: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(configuration, dict):
        raise ValueError(f"{path} is not a JSON object.")
    if str(configuration.get("bearer_token")).startswith("fivetran_encrypted:"):
        # Imported here, as nothing else needs the SDK.
        from devkit import sdk  # noqa: PLC0415

        return sdk.decrypted(configuration)
    return configuration


def _fetch(
    settings: Settings, limits: Limits
) -> list[tuple[Endpoint, Outcome, ReceivedResponse | None]]:
    """Request all endpoints as a sync does; return the outcome and last response of each."""
    last: dict[str, ReceivedResponse] = {}
    bodies: dict[str, bytes | bytearray] = {}

    def on_event(event: Event) -> None:
        if isinstance(event, RetryScheduled):
            sys.stderr.write(f"{report.retrying(event)}\n")
        elif isinstance(event, ResponseReceived):
            name, attempt, status, headers, _, seconds, _ = event
            last[name] = ReceivedResponse(name, attempt, status, headers, bodies[name], seconds)

    def judge(endpoint: Endpoint, url: str, response: Response, now: datetime) -> Catalog:
        bodies[endpoint.name] = response.body if response.status == HTTPStatus.OK else b""
        return response_judge(endpoint, url, response, now)

    with patch.object(fetch, "judge", judge), fetching(settings, limits, on_event) as catalogs:
        return [(e, _outcome(catalogs.take(e.name)), last.get(e.name)) for e in settings.endpoints]


def _outcome(result: Catalog | EndpointError) -> Outcome:
    return result if isinstance(result, EndpointError) else list(result)


if __name__ == "__main__":
    sys.exit(main())

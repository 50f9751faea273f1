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
from concurrent.futures import Future
from pathlib import Path

import report
from async_client import (
    Catalog,
    EndpointError,
    Event,
    Limits,
    ReceivedResponse,
    RetryScheduled,
    Settings,
    fetching,
    unknown_keys,
    validate_configuration,
)
from async_client.version import VERSION
from devkit import configuration
from devkit.inspect.facts import Outcome, facts_of
from devkit.inspect.text import as_text
from endpoints import Endpoint

_LIMITS = Limits()


def main(arguments: Sequence[str] | None = None, limits: Limits = _LIMITS) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m devkit.inspect", description=__doc__)
    add = parser.add_argument
    default = configuration.default()
    add("--configuration", type=Path, default=default, help="file to read (%(default)s)")
    add("--json", action="store_true", help="write the report as JSON")
    options = parser.parse_args(arguments)
    try:
        values = _decrypted(configuration.read(options.configuration))
        sys.stderr.writelines(f"{line}\n" for line in unknown_keys(values))
        settings = validate_configuration(values)
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


def _decrypted(values: Mapping[str, str]) -> Mapping[str, str]:
    """Decrypt what `fivetran configuration` encrypted."""
    if str(values.get("bearer_token")).startswith("fivetran_encrypted:"):
        # Imported here, as nothing else needs the SDK.
        from devkit import sdk  # noqa: PLC0415

        return sdk.decrypted(values)
    return values


def _fetch(
    settings: Settings, limits: Limits
) -> list[tuple[Endpoint, Outcome, ReceivedResponse | None]]:
    """Request all endpoints as a sync does; return the outcome and last response of each."""
    last: dict[str, ReceivedResponse] = {}

    def on_response(response: ReceivedResponse) -> None:
        last[response.endpoint_name] = response

    with fetching(settings, limits, _show_retry, on_response) as catalogs:
        return [(e, _outcome(catalogs[e.name]), last.get(e.name)) for e in settings.endpoints]


def _outcome(catalog: Future[Catalog]) -> Outcome:
    try:
        return list(catalog.result())
    except EndpointError as failure:
        return failure


def _show_retry(event: Event) -> None:
    if isinstance(event, RetryScheduled):
        sys.stderr.write(f"{report.retrying(event)}\n")


if __name__ == "__main__":
    sys.exit(main())

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
from pathlib import Path
from typing import Any

import report
from async_client import (
    Catalog,
    EndpointError,
    Event,
    Limits,
    ResponseReceived,
    RetryScheduled,
    Settings,
    fetching,
    validate_configuration,
)
from async_client.version import VERSION
from devkit import configuration
from devkit.inspect.facts import facts_of
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
        settings = validate_configuration(values)
        sys.stderr.writelines(f"{note}\n" for note in settings.notes)
        if settings.sends_token_unencrypted:
            sys.stderr.write(f"{report.unencrypted(settings.base_url)}\n")
        fetched = _fetch(settings, limits)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    results = {endpoint.name: result for endpoint, result, _ in fetched}
    is_failed = any(isinstance(result, EndpointError) for result in results.values())
    failure = report.failure(results, list(results)) if is_failed else None
    endpoints = [facts_of(*each) for each in fetched]
    document = {"version": VERSION, "endpoints": endpoints, "failure": failure}
    # A server could return the token, as the name of a field for example. It is replaced in the
    # values, as wrapping to 80 columns could break it in two.
    token = re.compile(re.escape(json.dumps(settings.bearer_token)[1:-1]), re.IGNORECASE)
    shown: dict[str, Any] = json.loads(token.sub("(token)", json.dumps(document)))
    text = as_text(shown["endpoints"], shown["failure"])
    if options.json:
        text = json.dumps(shown, indent=1, ensure_ascii=False)
    sys.stdout.write(f"{text}\n")
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
) -> list[tuple[Endpoint, Catalog | EndpointError, ResponseReceived | None]]:
    """Request all endpoints as a sync does; return the outcome and last response of each."""
    last: dict[str, ResponseReceived] = {}

    def on_event(event: Event) -> None:
        if isinstance(event, RetryScheduled):
            sys.stderr.write(f"{report.retrying(event)}\n")
        elif isinstance(event, ResponseReceived):
            last[event.endpoint_name] = event

    with fetching(settings, limits, on_event) as catalogs:
        return [(e, catalogs.take(e.name), last.get(e.name)) for e in settings.endpoints]


if __name__ == "__main__":
    sys.exit(main())

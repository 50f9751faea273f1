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

import report
from async_client import Event, Limits, RetryScheduled, validate_configuration
from async_client.version import VERSION
from devkit.inspect.facts import facts_of
from devkit.inspect.fetch import fetch
from devkit.inspect.text import as_text

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
        fetched = fetch(settings, limits, _show_retry)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    failures = dict.fromkeys(one.failure for one in fetched if one.failure)
    failure = report.failure(failures, len(settings.endpoints)) if failures else None
    endpoints = [facts_of(one) for one in fetched]
    document = {"version": VERSION, "endpoints": endpoints, "failure": failure}
    text = (
        json.dumps(document, indent=1, ensure_ascii=False)
        if options.json
        else as_text(endpoints, failure)
    )
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


def _show_retry(event: Event) -> None:
    if isinstance(event, RetryScheduled):
        sys.stderr.write(f"{report.retrying(event)}\n")


if __name__ == "__main__":
    sys.exit(main())

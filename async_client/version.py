"""The version of the connector, as in CHANGELOG.md; requests send it as `User-Agent`."""

VERSION = "1.1.0"

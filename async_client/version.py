"""The version of the connector, as CHANGELOG.md has it; requests carry it as User-Agent."""

VERSION = "1.0.0"

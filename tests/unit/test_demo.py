"""The demo prints a sync's log readably at 80 columns."""

from __future__ import annotations

from devkit.demo import readable
from tests.support.cases import cases

SDK = "20:15:01.123 INFO     ⚡ sdk       "
CONNECTOR = "20:15:01.123 INFO     ⚡ connector "
STATE = '{"version": 1, "writing": "tracks", "endpoints": {}}'
MORE = " " * 35


@cases(
    "lines,expected",
    {
        "messages of the connector are shown": ([f"{CONNECTOR}Hello\n"], ["20:15:01  Hello"]),
        "messages of the SDK are hidden, with the lines that continue them": (
            [f"{SDK}previous state:\n", f"{MORE}{{}}\n", f"{SDK}table created: tester.course\n"],
            [],
        ),
        "errors of the SDK are shown": (
            [f"{SDK.replace('INFO', 'SEVERE')}Failed\n", f"{MORE}why\n", "Traceback\n"],
            ["20:15:01  SEVERE: Failed", "          why", "Traceback"],
        ),
        "a checkpoint is shown without the state": (
            [f"{SDK}checkpoint recorded: {STATE}\n"],
            ["20:15:01  checkpoint recorded: state saved"],
        ),
        "the SDK's count of schema changes is explained": (
            [f"{SDK}SYNC SUCCEEDED\n", f"{MORE}Schema changes  | 10      \n"],
            [
                "20:15:01  SYNC SUCCEEDED",
                "          Schema changes  | 10, the declared tables, in each sync",
            ],
        ),
        "lines that two threads wrote at once are separated": (
            [f"{CONNECTOR}one{SDK}hidden\n", "\n", f"{CONNECTOR}two\n"],
            ["20:15:01  one", "20:15:01  two"],
        ),
        "long lines are wrapped": (
            [f"{CONNECTOR}{'word ' * 16}\n"],
            [f"20:15:01  {'word ' * 14}".rstrip(), "          word word"],
        ),
    },
)
def test_a_log_is_made_readable(lines, expected):
    """It contains only the relevant lines, wrapped at 80 columns."""
    assert list(readable(lines)) == expected

"""The demo prints a sync's log readably at 80 columns."""

from __future__ import annotations

import pytest

from devkit.demo import readable

SDK = "20:15:01.123 INFO     ⚡ sdk       "
CONNECTOR = "20:15:01.123 INFO     ⚡ connector "


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([f"{CONNECTOR}Hello\n"], ["20:15:01  Hello"], id="the connector's are shown"),
        pytest.param(
            [
                f"{SDK}previous state:\n",
                f"{' ' * 35}{{}}\n",
                f"{SDK}table created: tester.course\n",
            ],
            [],
            id="the SDK's are not, nor what continues them",
        ),
        pytest.param(
            [f"{SDK.replace('INFO', 'SEVERE')}Failed\n", f"{' ' * 35}why\n", "Traceback\n"],
            ["20:15:01  SEVERE: Failed", "          why", "Traceback"],
            id="but errors are",
        ),
        pytest.param(
            [SDK + 'checkpoint recorded: {"version": 1, "writing": "tracks", "endpoints": {}}\n'],
            ["20:15:01  checkpoint recorded: state saved; next: tracks"],
            id="a checkpoint is shown without the state",
        ),
        pytest.param(
            [f"{CONNECTOR}one{SDK}hidden\n", "\n", f"{CONNECTOR}two\n"],
            ["20:15:01  one", "20:15:01  two"],
            id="lines that two threads wrote at once are separated",
        ),
        pytest.param(
            [f"{CONNECTOR}{'word ' * 16}\n"],
            [f"20:15:01  {'word ' * 14}".rstrip(), "          word word"],
            id="long lines are wrapped",
        ),
    ],
)
def test_a_log_is_made_readable(lines, expected):
    """It contains only the relevant lines, wrapped at 80 columns."""
    assert list(readable(lines)) == expected

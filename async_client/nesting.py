"""Measure how deep JSON text is nested, the same on every Python. No I/O.

Decoders give up at a depth that differs between versions of Python: the recursion limit counts
until 3.11, the size of the C stack from 3.12 on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A string or a bracket. A string need not be closed, so that bad text takes linear time too.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.?[^"\\]*)*"?|[\[\]{}]', re.DOTALL)

_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def is_deeper(text: bytes | bytearray, levels: int) -> bool:
    """Return whether lists and objects in `text` are nested in more than `levels` levels."""
    if len(text) <= 2 * levels or len(text.translate(None, _NO_BRACKETS)) <= 2 * levels:
        return False  # nearly always: there are too few brackets
    return any(level > levels for _, level in _openings(text))


def cut(text: bytes | bytearray, levels: int, marker: bytes) -> bytes:
    """Return `text` with `marker` in the place of what is nested deeper than `levels`."""
    kept, end = bytearray(), 0
    for start, level in _openings(text):
        if level == levels + 1 and start >= end:
            kept += text[end:start] + marker
            end = _closing(text, start)
    return bytes(kept + text[end:])


def _openings(text: bytes | bytearray) -> Iterator[tuple[int, int]]:
    """Yield offset and level of each opening bracket."""
    level = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first in b"[{":
            level += 1
            yield token.start(), level
        elif first in b"]}":
            level -= 1


def _closing(text: bytes | bytearray, start: int) -> int:
    """Return the offset after the bracket that closes the one at `start`."""
    level = 0
    for token in _TOKEN.finditer(text, start):
        first = text[token.start()]
        level += (first in b"[{") - (first in b"]}")
        if level == 0:
            return token.end()
    return len(text)

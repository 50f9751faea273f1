"""Convert a body to UTF-8, whatever its charset. No I/O."""

from __future__ import annotations

import codecs
import re

# What a Content-Type may declare, by Python's names; UTF-8 needs no declaration.
_DECLARABLE = frozenset(
    {"iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"}
    | {"utf-32", "utf-32-le", "utf-32-be"}
)
# UTF-32 first: its mark starts with the one of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARSET = re.compile(r';\s*charset="?([\w.:-]{1,40})', re.IGNORECASE | re.ASCII)
_CHUNK_BYTES = 8 * 1024  # fast, as a chunk and its text fit the processor's cache


def to_utf_8(body: bytes | bytearray, content_type: str) -> bytes | bytearray | None:
    """Return `body` in UTF-8, or None if it is not valid in any charset that may be meant.

    UTF-8 declared as something else is a common mistake, so valid UTF-8 takes precedence over the
    declared charset. JSON contains no NUL byte, so one near the start means UTF-16 or UTF-32.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return _recoded(body, encoding)
    if b"\0" not in body[:4] and _is_utf_8(body):
        return body
    encoding = _declared(content_type)
    return _recoded(body, encoding) if encoding in _DECLARABLE else None


def _declared(content_type: str) -> str:
    """Return Python's name of the declared charset, empty if it is missing or unknown."""
    match = _CHARSET.search(content_type)
    try:
        return codecs.lookup(match[1]).name if match else ""
    except LookupError:
        return ""


def _is_utf_8(body: bytes | bytearray) -> bool:
    """Check in chunks, as the whole body as text could take four times its memory."""
    if body.isascii():
        return True
    view, start = memoryview(body), 0
    try:
        while start < len(view):
            chunk = view[start : start + _CHUNK_BYTES]
            final = start + _CHUNK_BYTES >= len(view)
            start += codecs.utf_8_decode(chunk, "strict", final)[1]  # may leave half a character
    except UnicodeDecodeError:
        return False
    return True


def _recoded(body: bytes | bytearray, encoding: str) -> bytes | None:
    try:
        return body.decode(encoding).encode("utf-8")
    except UnicodeError:
        return None

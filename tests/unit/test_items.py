"""Decoding one item, and what makes it unreadable."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from async_client.items import (
    MAX_ITEM_BYTES,
    MAX_ITEM_COMMAS,
    UnreadableItem,
    bounded,
    decode_item,
)
from tests.support.cases import cases

NOT_DECODABLE = UnreadableItem("it is JSON that cannot be decoded")
BEYOND_BOUNDS = UnreadableItem("it is larger or nested deeper than any valid item")


def lists(levels):
    """Nest empty lists."""
    return b"[" * levels + b"]" * levels


def objects(levels):
    """Nest objects around a number."""
    return b'{"a":' * levels + b"1" + b"}" * levels


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@settings(max_examples=25, deadline=None)
@given(st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=9))
def test_an_item_is_decoded_as_the_standard_library_does(value):
    """At any depth, each value has the same type and content; -0.0 and 1.0 stay floats."""
    text = json.dumps(value).replace("Infinity", "1e400").encode()
    assert repr(decode_item(msgspec.Raw(text))) == repr(json.loads(text))


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        *((b"1e400", math.inf), (b"%d" % 10**100, 10**100), (rb'"\ud83d"', "\ud83d")),
        (b'{"id":"1","id":"2"}', {"id": "2"}),
        *((text, NOT_DECODABLE) for text in (b"9" * 5000, b'"\xff"', b"{")),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_what_either_decoder_reads_is_readable(text, decoded):
    """Numbers out of range, repeated keys and lone surrogates are; endless digits are not."""
    assert decode_item(msgspec.Raw(text)) == decoded


READABLE = [
    *(lists(4), lists(5), objects(5), lists(500), objects(500)),
    *(b'["' + b"[" * 600 + b'\\"",' + lists(9) + b"]", b"[" + b"[]," * 600 + lists(9) + b"]"),
]
TOO_DEEP = [
    *(lists(501), objects(501), lists(50_000), objects(50_000)),
    b'{"a":' + lists(500) + b',"a":1}',
]


@pytest.mark.parametrize(
    "text", [*READABLE, *TOO_DEEP], ids=lambda text: f"{text[:9]!r} {len(text)}"
)
def test_more_than_500_levels_make_an_item_unreadable(text):
    """The limit is the same on every Python; brackets in text and in a row do not count."""
    assert (decode_item(msgspec.Raw(text)) == BEYOND_BOUNDS) is (text in TOO_DEEP)


@pytest.mark.parametrize("item", [{"id": "1"}, [1], "text", 1.5, True, None, NOT_DECODABLE])
def test_what_is_decoded_already_is_returned_unchanged(item):
    """A body that msgspec refuses is decoded as a whole by the standard library."""
    assert decode_item(item) is item


@cases(
    "field, beyond",
    {
        "4 MiB": (b'"' + b"x" * (MAX_ITEM_BYTES - 8) + b'"', False),
        "a byte more": (b'"' + b"x" * (MAX_ITEM_BYTES - 7) + b'"', True),
        "100,000 commas": (b"[" + b"1," * MAX_ITEM_COMMAS + b"1]", False),
        "a comma more": (b"[" + b"1," * (MAX_ITEM_COMMAS + 1) + b"1]", True),
    },
)
@pytest.mark.parametrize("decode", [msgspec.Raw, json.loads], ids=["undecoded", "decoded"])
def test_an_item_beyond_the_bounds_is_replaced(decode, field, beyond):
    """Other items of the body are unchanged."""
    text = b'{"x":' + field + b"}"
    items = [decode(text), decode(b"1")]
    expected = [BEYOND_BOUNDS if beyond else items[0], items[1]]
    assert bounded(items, b"[" + text + b",1]") == expected


def test_the_depth_of_decoded_items_is_bounded_too():
    """The depth of undecoded items is checked when they are decoded."""
    body = b"[" + lists(500) + b"," + lists(501) + b"]"
    items = json.loads(body)
    assert bounded(items, body) == [items[0], BEYOND_BOUNDS]

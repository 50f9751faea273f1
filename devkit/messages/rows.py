"""A row of the table of messages, and ways to make one from what the code reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from async_client import FetchError

NOW = "act now"
NEXT_SYNC = "wait for the next sync"
NOTHING = "nothing to do"


class Row(NamedTuple):
    """Messages with one cause; `advice` is what they contain themselves, if any."""

    texts: tuple[str, ...]
    cause: str
    advice: str
    urgency: str


def failures(cause: str, urgency: str, *errors: FetchError) -> Row:
    """Return the row of failures of a request, whose advice is the same."""
    (advice,) = {error.advice for error in errors}
    return Row(tuple(error.reason for error in errors), cause, f"{advice}.", urgency)


def unsplit(cause: str, urgency: str, *texts: str, advice: str = "") -> Row:
    """Return the row of messages that contain no advice, or that are not split."""
    return Row(texts, cause, advice, urgency)


def sentences(cause: str, urgency: str, *texts: str, split: str = ". ") -> Row:
    """Return the row of messages that say what happened and then, after `split`, what to do."""
    heads, tails = zip(*(text.partition(split)[::2] for text in texts), strict=True)
    (advice,) = set(tails)
    return Row(heads, cause, f"{advice[:1].upper()}{advice[1:]}", urgency)


def raised(function: Callable[..., object], *values: object) -> str:
    """Return the text of the ValueError that a call raises."""
    try:
        function(*values)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{function.__name__}{values} raised nothing")


def failure_of(function: Callable[..., object], *values: object) -> FetchError:
    """Return the FetchError that a call raises."""
    try:
        function(*values)
    except FetchError as error:
        return error
    raise AssertionError(f"{function.__name__} raised nothing")


@contextmanager
def environment_variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment, and restore it."""
    before = {key: os.environ.pop(key, None) for key in (name, name.lower())}
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
        os.environ.update({key: old for key, old in before.items() if old is not None})

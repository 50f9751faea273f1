"""The column name that Fivetran gives a field."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

RESERVED_PREFIX = "_fivetran_"

_NOT_A_WORD_CHARACTER = re.compile(r"\W", re.ASCII)
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<!\d)(?=\d)|(?<=\d)(?=\D)", re.ASCII)
_UNDERSCORES = re.compile(r"_+")


@lru_cache(maxsize=4096)
def column_name(field: str) -> str:
    """Give the column that ``field`` becomes under Fivetran's naming, e.g. ``image_url_jpg``.

    Accents go, all but ASCII letters and digits become underscores, and a word begins at a capital
    after a small letter and wherever digits begin or end. Two fields with one column are one field
    to Fivetran. Source: the renaming of SDK 3.0.0, against which a test compares this function.
    """
    decomposed = unicodedata.normalize("NFD", field)
    plain = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    words = _WORD_START.sub("_", _NOT_A_WORD_CHARACTER.sub("_", plain))
    return _UNDERSCORES.sub("_", words).lower()

"""The column name that Fivetran uses for a field."""

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
    """Return the column name that Fivetran uses for `field`, such as `image_url_jpg`.

    Accents are removed, other characters than ASCII letters and digits become underscores, and a
    word starts at a capital after a lower-case letter and where digits start or end. Fields with
    the same column name are one field to Fivetran. A test compares this with SDK 3.0.0.
    """
    decomposed = unicodedata.normalize("NFD", field)
    plain = "".join(c for c in decomposed if unicodedata.category(c) != "Mn")
    words = _WORD_START.sub("_", _NOT_A_WORD_CHARACTER.sub("_", plain))
    return _UNDERSCORES.sub("_", words).lower()

"""The bounds of what is written to the destination; what exceeds one is counted and reported."""

from __future__ import annotations

# Deeper than any real value, and within the recursion limit of every encoder.
MAX_LEVELS = 100
# The SDK parses text of digits as a whole number, and Python raises for one of more digits.
MAX_DIGITS = 4300
# The SDK sends an undeclared integer outside of this range as a 32-bit float.
MAX_INTEGER = 2**63 - 1
# The SDK sends an undeclared float with 32 bits, rounded to four digits. On Python 3.14 it raises
# for one that is rounded above the largest (3.4028e38 to 3.403e38).
MAX_FLOAT = 3.4e38
MAX_FIELD_NAME_LENGTH = 1_000
# `fivetran debug` needs 1.5 GB for a table of 2,000 columns.
MAX_UNDECLARED_COLUMNS = 500
# Keys are kept in the connector's state, which must not exceed 10 MB.
MAX_KEY_LENGTH = 1_000
# Of an id or value in the reason for a rejection.
MAX_SHOWN_LENGTH = 60

"""Every message of the connector, for docs/messages.md: text, cause, what to do and urgency.

The texts are those of the code itself, called with example values; only causes and urgencies are
written here. A test compares them with the texts in the code, so that none is missing.
"""

from devkit.messages.page import FIRST_SECTION, sections

__all__ = ["FIRST_SECTION", "sections"]

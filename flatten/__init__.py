"""Catalog items to table rows, pure: `flatten_item` and the rules and coercions behind it."""

from flatten.item import Flattened, Key, Rejected, Row, UndeclaredColumns, flatten_item

__all__ = ["Flattened", "Key", "Rejected", "Row", "UndeclaredColumns", "flatten_item"]

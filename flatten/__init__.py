"""Turn catalog items into table rows: `flatten_item` and the rules and coercions it uses."""

from flatten.item import Flattened, Flattener, Key, Rejected, flatten_item, reject_item
from flatten.row import Row, UndeclaredColumns

__all__ = [
    "Flattened",
    "Flattener",
    "Key",
    "Rejected",
    "Row",
    "UndeclaredColumns",
    "flatten_item",
    "reject_item",
]

"""Turn catalog items into table rows: `Flattener` and the rules and coercions it uses."""

from flatten.item import Flattened, Flattener, Rejected
from flatten.keys import Key
from flatten.row import Row

__all__ = ["Flattened", "Flattener", "Key", "Rejected", "Row"]

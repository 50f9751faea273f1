"""After any history of catalogs, failures and interruptions the destination equals the catalog.

The connector's own `update()` feeds a model of the warehouse. Of the operations after the last
checkpoint of an interrupted sync, none, some or all reach it.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import connector
from endpoints import ENDPOINTS
from flatten import flatten_item
from tests.conftest import CONFIGURATION
from tests.support.recording import Destination, Interrupted, Log, Operations, answering, failed

# One endpoint of each kind: no children, children that name themselves, children with a position.
SYNCED = [
    endpoint for endpoint in ENDPOINTS if endpoint.name in ("practices", "projects", "tracks")
]
NAMES = [endpoint.name for endpoint in SYNCED]
NEVER_SYNCED = {endpoint.name for endpoint in ENDPOINTS} - set(NAMES)
ENDPOINT_OF_TABLE = {table.name: e.name for e in ENDPOINTS for table in e.tables}

item_ids = st.sampled_from(["a", "A", "b", "1", 1, "c\0", "c", 2.5])
keyless_ids = st.sampled_from([None, "", True, ["x"], float("nan")])
titles = st.sampled_from([None, "one", "two", 3, {"t": 1}])
child_ids = st.sampled_from(["x", "X", "y", 1, "1", None, ["z"]])
chapters = st.fixed_dictionaries({"id": child_ids}, optional={"title": titles})
topics = st.sampled_from(["x", "y", "Y", 5, None]) | st.fixed_dictionaries({"name": child_ids})
contents = st.fixed_dictionaries(
    {"id": child_ids}, optional={"position": st.sampled_from([0, 1, 2, "2", None, "no"])}
)
BODY = {
    "title": titles,
    "live": st.sampled_from([True, "true", "perhaps"]),
    "extra": titles,
    "chapters": st.none() | st.lists(chapters, max_size=3),
    "topics": st.none() | topics | st.lists(topics, max_size=3),
    "content": st.none() | st.lists(contents, max_size=3),
}
usable_items = st.fixed_dictionaries({"id": item_ids}, optional=BODY)
odd_items = st.fixed_dictionaries({"id": keyless_ids}, optional=BODY) | st.sampled_from(
    [None, "text", 7, []]
)
catalogs = st.lists(usable_items, max_size=8) | st.lists(usable_items | odd_items, max_size=8)
# Enough items to lose more than a fifth of them at once, which makes a catalog suspicious.
plain_catalogs = st.sets(st.integers(0, 13), max_size=14).map(
    lambda ids: [{"id": f"item-{number}", "title": "plain"} for number in sorted(ids)]
)


def run_sync(answers, state, skipped, before):
    """Run `connector.update` over these catalogs; return the operations and the error, if any."""
    operations = Operations(before)
    patched = {"op": operations, "log": Log(), "fetching": answering(answers)}
    originals = {name: getattr(connector, name) for name in patched}
    for name, double in patched.items():
        setattr(connector, name, double)
    try:
        connector.update(
            {**CONFIGURATION, "skip_endpoints": ",".join(skipped | NEVER_SYNCED)}, state
        )
    except (connector.SyncError, Interrupted) as error:
        return operations, error
    finally:
        for name, original in originals.items():
            setattr(connector, name, original)
    return operations, None


def rows_of(endpoint, catalog):
    """Return the rows by item key, the first of equal keys, and whether an item has no key."""
    rows, keyless = {}, False
    for item in catalog:
        flat = flatten_item(endpoint, item)
        if flat.key is None:
            keyless = True
        else:
            rows.setdefault(flat.key, (flat.row, list(flat.children.values())))
    return rows, keyless


class Syncs(RuleBasedStateMachine):
    """Random syncs of random catalogs into one model destination."""

    def __init__(self):
        super().__init__()
        self.catalogs = {name: [] for name in NAMES}
        self.destination = Destination()
        self.state = {}
        # What the destination should hold, by endpoint and item key, or None after an
        # interruption; and in how many syncs in a row an item was missing.
        self.expected = dict.fromkeys(NAMES)
        self.missing = defaultdict(dict)

    @initialize(data=st.data())
    def first_catalogs(self, data):
        for name in NAMES:
            self.catalogs[name] = data.draw(catalogs | plain_catalogs)

    @rule(name=st.sampled_from(NAMES), catalog=catalogs | plain_catalogs)
    def another_catalog(self, name, catalog):
        self.catalogs[name] = catalog

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def an_item_changes(self, name, data):
        catalog = self.catalogs[name]
        places = [place for place, item in enumerate(catalog) if isinstance(item, dict)]
        if places:
            place = data.draw(st.sampled_from(places))
            field = data.draw(st.sampled_from(sorted(BODY)))
            changed = {**catalog[place], field: data.draw(BODY[field])}
            self.catalogs[name] = [*catalog[:place], changed, *catalog[place + 1 :]]

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def an_item_is_removed(self, name, data):
        catalog = self.catalogs[name]
        if catalog:
            place = data.draw(st.integers(0, len(catalog) - 1))
            self.catalogs[name] = [*catalog[:place], *catalog[place + 1 :]]

    @rule(
        failing=st.sets(st.sampled_from(NAMES), max_size=2),
        skipped=st.sets(st.sampled_from(NAMES), max_size=2),
    )
    def sync(self, failing, skipped):
        operations, error = self._sync(failing, skipped)
        assert (error is None) == (not failing - skipped)
        self.destination.apply(operations.stream)
        self._written(set(NAMES) - failing - skipped)
        self.state = operations.states[-1] if operations.states else self.state

    @rule(
        at=st.integers(0, 40),
        kept_share=st.sampled_from([0.0, 0.5, 1.0]),
        failing=st.sets(st.sampled_from(NAMES), max_size=1),
    )
    def interrupted_sync(self, at, kept_share, failing):
        """The sync is killed at operation `at`; part of what followed a checkpoint arrived."""
        seen = iter(range(at + 1))

        def before(operation):
            if next(seen, None) == at:
                raise Interrupted

        operations, error = self._sync(failing, set(), before)
        if not isinstance(error, Interrupted):
            at = len(operations.stream)
        checkpoints = [i for i, o in enumerate(operations.stream) if o[0] == "checkpoint"]
        committed = checkpoints[-1] + 1 if checkpoints else 0
        kept = committed + int(kept_share * (len(operations.stream) - committed))
        self.destination.apply(operations.stream[:kept])
        ended = {name for name in NAMES if self._is_complete(operations.states, name)}
        self._written(ended - failing)
        if operations.states:
            self.state = operations.states[-1]
            self.expected[self.state["writing"] or ""] = None

    @rule()
    def same_catalog_again(self):
        """A second sync writes nothing, even if JSON keys and topics come in another order."""
        first, _ = self._sync(set(), set())
        self.destination.apply(first.stream)
        self._written(set(NAMES))
        self.state = first.states[-1]
        if any(self.missing.values()):
            return
        self.catalogs = {
            name: [_reordered(item, lists=name == "projects") for item in items]
            for name, items in self.catalogs.items()
        }
        second, error = self._sync(set(), set())
        assert (error, second.writes, len(second.states)) == (None, [], len(NAMES) + 1)
        assert second.states[-1] == self.state

    @invariant()
    def destination_equals_the_catalogs(self):
        for endpoint in SYNCED:
            expected = self.expected[endpoint.name]
            if expected is None:
                continue
            tables = [list(self.destination.tables[t.name].values()) for t in endpoint.tables]
            parents = [row for row, _ in expected.values()]
            children = [row for _, rows in expected.values() for row in rows]
            assert _sorted(tables[0]) == _sorted(parents), endpoint.name
            if endpoint.child is not None:
                assert _sorted(tables[1]) == _sorted(children), endpoint.name

    def _sync(self, failing, skipped, before=lambda operation: None):
        answers = {
            name: failed(name) if name in failing else catalog
            for name, catalog in self.catalogs.items()
        }
        operations, error = run_sync(answers, self.state, skipped, before)
        self._no_known_endpoint_is_truncated(operations)
        return operations, error

    def _no_known_endpoint_is_truncated(self, operations):
        known = set(self.state.get("endpoints", {})) - {self.state.get("writing")}
        truncated = {ENDPOINT_OF_TABLE[table] for _, table in operations.of_kind("truncate")}
        assert not truncated & known

    @staticmethod
    def _is_complete(states, name):
        """Return whether a checkpoint of this sync came after all of the endpoint."""
        written = [place for place, state in enumerate(states) if state["writing"] == name]
        return bool(written) and written[-1] + 1 < len(states)

    def _written(self, names):
        for endpoint in SYNCED:
            if endpoint.name in names:
                self._expect(endpoint)

    def _expect(self, endpoint):
        """Set what the endpoint's tables hold after this sync, deferred deletes included."""
        name = endpoint.name
        rows, keyless = rows_of(endpoint, self.catalogs[name])
        known, missing = self.expected[name], self.missing[name]
        if known is None:
            known, missing = {}, {}
        gone = [key for key in known if key not in rows]
        suspicious = (
            keyless
            or (not self.catalogs[name] and bool(known))
            or (len(gone) >= 5 and len(gone) > len(known) / 5)
        )
        counts = {key: missing.get(key, 0) + 1 for key in gone}
        deferred = {key: count for key, count in counts.items() if suspicious and count < 3}
        self.expected[name] = {**rows, **{key: known[key] for key in deferred}}
        self.missing[name] = deferred


def _reordered(item, *, lists):
    """Return the item with its keys in reverse order, and its topics where they are rows."""
    if not isinstance(item, dict):
        return item
    reordered = dict(reversed(item.items()))
    topics = item.get("topics")
    return (
        {**reordered, "topics": topics[::-1]} if lists and isinstance(topics, list) else reordered
    )


def _sorted(rows):
    return sorted(rows, key=lambda row: repr(sorted(row.items())))


TestSyncs = Syncs.TestCase
TestSyncs.settings = settings(
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

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
from flatten import Flattener
from tests.conftest import CONFIGURATION
from tests.support.recording import Destination, Interrupted, failed, run_sync

# One endpoint of each kind: no children, children that name themselves, children with a position.
SYNCED = {e.name: e for e in ENDPOINTS if e.name in ("practices", "projects", "tracks")}
NAMES = list(SYNCED)
OTHERS = {endpoint.name for endpoint in ENDPOINTS} - set(NAMES)
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
# Enough items to lose more than a fifth of them at once, which makes a catalog suspicious.
plain_catalogs = st.sets(st.integers(0, 13), max_size=14).map(
    lambda ids: [{"id": f"item-{number}", "title": "plain"} for number in sorted(ids)]
)
sound_catalogs = st.lists(usable_items, max_size=6) | plain_catalogs
catalogs = sound_catalogs | st.lists(usable_items | odd_items, max_size=6)


def upserts(endpoint, catalog):
    """Return the upserts of each item by its key, and whether an item has no key."""
    by_key, keyless = {}, False
    for flat in map(Flattener(endpoint).flatten_item, catalog):
        if flat.key is None:
            keyless = True
        else:
            parent, child = endpoint.tables[0].name, endpoint.tables[-1].name
            children = [("upsert", child, row) for row in flat.children.values()]
            by_key.setdefault(flat.key, [("upsert", parent, flat.row), *children])
    return by_key, keyless


class Syncs(RuleBasedStateMachine):
    """Random syncs of random catalogs into one model destination."""

    def __init__(self):
        super().__init__()
        self.destination = Destination()
        self.state = {}
        # The upserts of what the destination should hold, by endpoint and item key, or None after
        # an interruption; and in how many syncs in a row an item was missing.
        self.expected = dict.fromkeys(NAMES)
        self.missing = defaultdict(dict)

    @initialize(first=st.fixed_dictionaries(dict.fromkeys(NAMES, catalogs)))
    def first_catalogs(self, first):
        self.catalogs = first

    @rule(name=st.sampled_from(NAMES), catalog=catalogs)
    def another_catalog(self, name, catalog):
        self.catalogs[name] = catalog

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def an_item_changes_or_is_removed(self, name, data):
        catalog = self.catalogs[name]
        if catalog:
            place = data.draw(st.integers(0, len(catalog) - 1))
            changed = []
            if isinstance(catalog[place], dict) and data.draw(st.booleans()):
                field = data.draw(st.sampled_from(sorted(BODY)))
                changed = [{**catalog[place], field: data.draw(BODY[field])}]
            self.catalogs[name] = [*catalog[:place], *changed, *catalog[place + 1 :]]
            self.sync(set(), set())

    @rule(
        failing=st.sets(st.sampled_from(NAMES), max_size=2),
        skipped=st.sets(st.sampled_from(NAMES), max_size=2),
    )
    def sync(self, failing, skipped):
        operations, error = self._sync(failing, skipped)
        assert (error is None) == (not failing - skipped)
        self.destination.apply(operations.stream)
        self._expect(set(NAMES) - failing - skipped)
        self.state = operations.states[-1] if operations.states else self.state

    @rule(
        at=st.integers(0, 40),
        kept_share=st.sampled_from([0.0, 0.5, 1.0]),
        failing=st.sets(st.sampled_from(NAMES), max_size=1),
    )
    def interrupted_sync(self, at, kept_share, failing):
        """The sync is killed at operation `at`; part of what followed a checkpoint arrived."""
        left = iter(range(at))

        def before(_):
            if next(left, None) is None:
                raise Interrupted

        operations, _ = self._sync(failing, set(), before)
        checkpoints = [i for i, o in enumerate(operations.stream) if o[0] == "checkpoint"]
        committed = checkpoints[-1] + 1 if checkpoints else 0
        kept = committed + int(kept_share * (len(operations.stream) - committed))
        self.destination.apply(operations.stream[:kept])
        self._expect({state["writing"] for state in operations.states[:-1]} - failing)
        if operations.states:
            self.state = operations.states[-1]
            self.expected[self.state["writing"] or ""] = None

    @rule()
    def the_same_catalogs_again(self):
        """A second sync writes nothing, unless it deletes what the first one deferred."""
        self.sync(set(), set())
        if not any(self.missing.values()):
            operations, error = self._sync(set(), set())
            assert (error, operations.writes, len(operations.states)) == (None, [], len(NAMES) + 1)
            assert operations.states[-1] == self.state

    @invariant()
    def destination_equals_the_catalogs(self):
        for name, endpoint in SYNCED.items():
            items = self.expected[name]
            if items is not None:
                model = Destination()
                model.apply(operation for operations in items.values() for operation in operations)
                for table in endpoint.tables:
                    assert self.destination.tables[table.name] == model.tables[table.name]

    def _sync(self, failing, skipped, before=lambda operation: None):
        results = self.catalogs | {name: failed(name) for name in failing}
        configuration = {**CONFIGURATION, "skip_endpoints": ",".join(skipped | OTHERS)}
        operations, _, error = run_sync(configuration, results, self.state, before)
        assert isinstance(error, (connector.SyncError, Interrupted, type(None)))
        known = set(self.state.get("endpoints", {})) - {self.state.get("writing")}
        truncated = {ENDPOINT_OF_TABLE[table] for _, table in operations.of_kind("truncate")}
        rewritten = set(NAMES) - failing - skipped - known
        assert truncated <= rewritten
        assert isinstance(error, Interrupted) or truncated == rewritten
        return operations, error

    def _expect(self, names):
        """Set what the tables of these endpoints hold after a sync, deferred deletes included."""
        for name in names:
            rows, keyless = upserts(SYNCED[name], self.catalogs[name])
            is_known = self.expected[name] is not None
            known, missing = (self.expected[name], self.missing[name]) if is_known else ({}, {})
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


TestSyncs = Syncs.TestCase
TestSyncs.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

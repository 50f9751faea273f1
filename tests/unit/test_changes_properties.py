"""After any history of catalogs, failures and kills, the destination holds what it should.

`connector.sync` feeds a model of a warehouse. A sync may be killed before any operation, also many
times in a row; of what followed its last checkpoint, none, some or all has arrived. Three promises
hold: the live rows equal the last good catalog; a suspicious response deletes nothing at once,
whatever was killed before; an item is written only if it changed, or if a sync that did not end
had touched it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import connector
from endpoints import ENDPOINTS
from flatten import Flattener
from tests.conftest import CONFIGURATION
from tests.support.recording import KEYS, Catalogs, Destination, Interrupted, failed, run_sync

# One endpoint of each kind: no children, children that name themselves, children with a position.
SYNCED = {e.name: e for e in ENDPOINTS if e.name in ("practices", "projects", "tracks")}
NAMES = list(SYNCED)
OTHERS = {endpoint.name for endpoint in ENDPOINTS} - set(NAMES)

item_ids = st.sampled_from(["a", "A", "b", "1", 1, "c\0", "c", 2.5])
keyless_ids = st.sampled_from([None, "", True, ["x"], float("nan")])
titles = st.sampled_from([None, "one", "two", 3, {"t": 1}])
child_ids = st.sampled_from(["x", "X", "y", 1, "1", None, ["z"]])
topics = st.sampled_from(["x", "y", "Y", 5, None]) | st.fixed_dictionaries({"name": child_ids})
contents = st.fixed_dictionaries(
    {"id": child_ids}, optional={"position": st.sampled_from([0, 1, 2, "2", None, "no"])}
)
unreadable = st.sampled_from(["/link", 3, {"data": []}, {"0": {"name": "x"}}])
BODY = {
    "title": titles,
    "live": st.sampled_from([True, "true", "perhaps"]),
    "extra": titles,
    "topics": st.none() | topics | unreadable | st.lists(topics, max_size=3),
    "content": st.none() | unreadable | st.lists(contents, max_size=3),
}
usable_items = st.fixed_dictionaries({"id": item_ids}, optional=BODY)
odd_items = st.fixed_dictionaries({"id": keyless_ids}, optional=BODY) | st.sampled_from(
    [None, "text", 7, []]
)
# Enough items, with enough children, to lose more than a fifth of them at once.
CHILDREN = {"topics": ["x", "y"], "content": [{"id": "x"}, {"id": "y"}]}
plain_catalogs = st.sets(st.integers(0, 13), max_size=14).map(
    lambda ids: [{"id": f"item-{number}", "title": "plain", **CHILDREN} for number in sorted(ids)]
)
catalogs = (
    plain_catalogs
    | st.lists(usable_items, max_size=6)
    | st.lists(usable_items | odd_items, max_size=6)
)
nested = st.sampled_from(
    [
        None,
        [],
        "/link",
        {"data": []},
        ["x"],
        [{"id": "x"}],
        [{"label": "x"}, {"label": "y"}],
        [{"id": "x"}, "y"],
        [{"name": "x"}, {"label": "y"}],
    ]
)


class Known(NamedTuple):
    """An item in the destination; `row` is None if it was touched by a sync that did not end.

    `children` is None if the rows of the children are unknown; `child_keys` are then those that
    may be there. The counts are of syncs in a row.
    """

    row: dict[str, Any] | None
    children: dict[Any, Any] | None
    child_keys: frozenset[Any]
    unreadable: bool = False
    missing: int = 0
    lost: int = 0


NOTHING = Known(None, {}, frozenset())


class Followed(NamedTuple):
    """What a sync makes of the known items, and the keys that it writes and deletes."""

    known: dict[str, Known]
    written: set[str]
    deleted: set[str]


def is_mass(missing, known):
    return missing >= 5 and missing > known / 5


def flattened(endpoint, catalog):
    """Return the first item of each key, and whether an item has none."""
    flattener, by_key, keyless = Flattener(endpoint), {}, False
    for flat in map(flattener.flatten_item, catalog):
        if flat.key is None:
            keyless = True
        else:
            by_key.setdefault(flat.key, flat)
    return by_key, keyless


def follow(endpoint, known, catalog):
    """Return what the destination holds after a sync, by the rules of docs/behavior.md."""
    found, keyless = flattened(endpoint, catalog)
    truncated, known = known is None, known or {}
    readable = {key for key in found if key in known and not found[key].children_unreadable}
    lost = {key: known[key].child_keys - set(found[key].children) for key in readable}
    known_children = sum(len(known[key].child_keys) for key in readable)
    losing = is_mass(sum(map(len, lost.values())), known_children)
    after, written, deleted = {}, set(), set()
    for key, flat in found.items():
        last = known.get(key, NOTHING)
        row, children = flat.row, flat.children
        if flat.children_unreadable:
            now = Known(row, last.children, last.child_keys, unreadable=True, lost=last.lost)
            same = last.unreadable and last.row == row
        else:
            now = Known(row, children, frozenset(children))
            same = not last.unreadable and (last.row, last.children) == (row, children)
        if lost.get(key) and (losing or flat.children_rejected) and last.lost < 2:
            after[key] = last._replace(missing=0, lost=last.lost + 1)
            continue
        after[key] = now
        if truncated or not same:
            written.add(key)
    gone = [key for key in known if key not in found]
    suspicious = keyless or (not catalog and known) or is_mass(len(gone), len(known))
    for key in gone:
        if suspicious and known[key].missing < 2:
            after[key] = known[key]._replace(missing=known[key].missing + 1)
        else:
            deleted.add(key)
    return Followed(after, written, deleted)


def kill(known, followed):
    """Return what is known after a sync that was killed behind its first checkpoint."""
    after = {}
    for key in [*known, *(key for key in followed.known if key not in known)]:
        last, now = known.get(key, NOTHING), followed.known.get(key)
        missing = 0 if now is not None and now.missing == 0 else last.missing
        if key in followed.written:
            after[key] = Known(None, None, last.child_keys | now.child_keys, lost=last.lost)
        elif key in followed.deleted:
            after[key] = Known(None, None, last.child_keys, missing=missing, lost=last.lost)
        else:
            after[key] = last._replace(missing=missing)
    return after


class Syncs(RuleBasedStateMachine):
    """Random syncs of random catalogs into one model destination."""

    def __init__(self):
        super().__init__()
        self.destination = Destination()
        self.state = {}
        self.known = dict.fromkeys(NAMES)  # the items by key; None without a snapshot

    @initialize(first=st.fixed_dictionaries(dict.fromkeys(NAMES, catalogs)))
    def first_catalogs(self, first):
        self.catalogs = first
        self.last_good = dict(first)

    @rule(name=st.sampled_from(NAMES), catalog=catalogs)
    def another_catalog(self, name, catalog):
        self.catalogs[name] = self.last_good[name] = catalog

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

    @rule(name=st.sampled_from(NAMES), share=st.sampled_from([0, 0.3, 0.7]))
    def a_response_is_empty_or_shrunken(self, name, share):
        catalog = self.last_good[name]
        self.catalogs[name] = catalog[: int(share * len(catalog))]
        self.sync(set(), set())

    @rule(
        name=st.sampled_from(["projects", "tracks"]), value=nested, share=st.sampled_from([1, 2])
    )
    def nested_lists_change(self, name, value, share):
        field = SYNCED[name].child.field
        self.catalogs[name] = [
            {**item, field: value} if isinstance(item, dict) and place % share == 0 else item
            for place, item in enumerate(self.last_good[name])
        ]
        self.sync(set(), set())

    @rule(name=st.sampled_from(NAMES))
    def a_good_response_comes_again(self, name):
        self.catalogs[name] = self.last_good[name]

    @rule(
        failing=st.sets(st.sampled_from(NAMES), max_size=2),
        skipped=st.sets(st.sampled_from(NAMES), max_size=2),
    )
    def sync(self, failing, skipped):
        operations, error, taken = self._sync(failing, skipped)
        assert (error is None) == (not failing - skipped)
        assert taken == [name for name in NAMES if name not in skipped]
        self.destination.apply(operations.stream)
        for name in set(NAMES) - failing - skipped:
            followed = follow(SYNCED[name], self.known[name], self.catalogs[name])
            assert self._touched(operations, name) == (followed.written, followed.deleted)
            self.known[name] = followed.known
        self.state = operations.states[-1] if operations.states else self.state

    @rule(
        name=st.sampled_from(NAMES),
        title=titles,
        children=nested,
        written=st.integers(0, 4),
        arrived=st.sampled_from([0.5, 1.0]),
    )
    def killed_while_a_change_is_written(self, name, title, children, written, arrived):
        """After its first checkpoint, as the catalogs before it have one each."""
        self.sync(set(), set())
        catalog, child = self.catalogs[name], SYNCED[name].child
        if catalog and isinstance(catalog[0], dict):
            lists = {child.field: children} if child else {}
            changed = {**catalog[0], "title": title, **lists}
            self.catalogs[name] = [changed, *catalog[1:-1]]
            self.killed_sync(NAMES.index(name) + 1 + written, arrived, set())

    @rule(
        at=st.integers(0, 40),
        arrived=st.sampled_from([0.0, 0.5, 1.0]),
        failing=st.sets(st.sampled_from(NAMES), max_size=1),
    )
    def killed_sync(self, at, arrived, failing):
        """The sync is killed before operation `at`; part of what followed a checkpoint arrived."""
        saved_before = self.state
        operations, error, taken = self._sync(failing, set(), at)
        checkpoints = [i for i, o in enumerate(operations.stream) if o[0] == "checkpoint"]
        committed = checkpoints[-1] + 1 if checkpoints else 0
        kept = committed + int(arrived * (len(operations.stream) - committed))
        self.destination.apply(operations.stream[:kept])
        self.state = operations.states[-1] if operations.states else self.state
        ended = taken[:-1] if isinstance(error, Interrupted) else taken
        for name in taken:
            if name in failing:
                continue
            followed = follow(SYNCED[name], self.known[name], self.catalogs[name])
            written, deleted = self._touched(operations, name)
            assert written <= followed.written
            assert deleted <= followed.deleted
            if name in ended:
                self.known[name] = followed.known
            elif (
                self.known[name] is not None
                and self._entry(name) != saved_before["endpoints"][name]
            ):
                self.known[name] = kill(self.known[name], followed)

    @rule()
    def the_connection_is_re_synced(self):
        self.state, self.known = {}, dict.fromkeys(NAMES)

    @rule(at=st.integers(0, 8))
    def killed_at_another_address(self, at):
        """Back at the first address, nothing is known once a row may have been written."""
        operations, _, _ = self._sync(set(), set(), at, base_url="http://127.0.0.1:2")
        self.destination.apply(operations.stream)
        if operations.states:
            self.state = operations.states[-1]
        if operations.states or self.state.get("source") != CONFIGURATION["base_url"]:
            self.known = dict.fromkeys(NAMES)
        else:
            assert operations.writes == []

    @rule()
    def the_same_catalogs_again(self):
        """A second sync writes nothing, unless it follows what the first one deferred."""
        self.sync(set(), set())
        if not any(
            item.missing or item.lost for name in NAMES for item in self.known[name].values()
        ):
            operations, error, _ = self._sync(set(), set())
            assert (error, operations.writes) == (None, [])
            assert operations.states == [self.state] * len(NAMES)

    @invariant()
    def destination_equals_the_catalogs(self):
        for name, endpoint in SYNCED.items():
            known = self.known[name]
            if known is not None:
                table, *child_tables = [table.name for table in endpoint.tables]
                rows = self.destination.tables[table]
                unknown = {key for key, item in known.items() if item.row is None}
                assert {key: row for (key,), row in rows.items() if key not in unknown} == {
                    key: item.row for key, item in known.items() if key not in unknown
                }
                unknown |= {key for key, item in known.items() if item.children is None}
                for child_table in child_tables:
                    self._check_children(endpoint.child, child_table, known, unknown)

    def _check_children(self, child, table, known, unknown):
        rows = self.destination.tables[table].values()
        found = {(row[child.foreign_key], row[child.key]): row for row in rows}
        assert {key: row for key, row in found.items() if key[0] not in unknown} == {
            (key, child_key): row
            for key, item in known.items()
            if key not in unknown
            for child_key, row in item.children.items()
        }
        for key, child_key in found:
            assert key not in unknown or child_key in known[key].child_keys

    def _sync(self, failing, skipped, at=None, **configuration):
        """Run a sync, killed before operation `at`; return also the endpoints that were taken."""
        left, taken = iter(range(10**9 if at is None else at)), []

        class Taken(Catalogs):
            def take(self, endpoint_name):
                taken.append(endpoint_name)
                return super().take(endpoint_name)

        def before(operation):
            if operation[0] != "warning" and next(left, None) is None:
                raise Interrupted

        results = Taken(self.catalogs | {name: failed(name) for name in failing})
        configuration = {
            **CONFIGURATION,
            "skip_endpoints": ",".join(skipped | OTHERS),
            **configuration,
        }
        operations, _, error = run_sync(configuration, results, self.state, before)
        assert isinstance(error, (connector.SyncError, Interrupted, type(None)))
        return operations, error, taken

    def _touched(self, operations, name):
        """Return the keys of the items that were written and that were deleted."""
        table = SYNCED[name].table.name
        (key,) = KEYS[table]
        return tuple(
            {row[key] for _, about, row in operations.of_kind(kind) if about == table}
            for kind in ("upsert", "delete")
        )

    def _entry(self, name):
        return self.state["endpoints"][name]


TestSyncs = Syncs.TestCase
TestSyncs.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

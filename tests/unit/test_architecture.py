"""The rooms of the connector: who imports whom, who may do what, and what ships with it."""

from __future__ import annotations

import ast
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import connector

ROOT = Path(connector.__file__).parent
ROOMS = ("connector", "report", "endpoints", "async_client", "changes", "flatten")
# What each room reads of the others; flatten/rules.py is a room of its own for the endpoints.
MAY_IMPORT = {
    "connector": {"report", "async_client", "changes", "endpoints", "flatten"},
    "report": {"async_client", "changes", "endpoints"},
    "changes": {"endpoints", "flatten"},
    "async_client": {"endpoints"},
    "endpoints": {"flatten.rules"},
    "flatten": {"endpoints", "flatten.rules"},
    "flatten.rules": {"flatten"},
}
# What each module reads that neither is ours nor comes with Python.
THIRD_PARTY = {
    "connector.py": {"fivetran_connector_sdk"},
    "changes/snapshot.py": {"msgspec"},
    "async_client/client.py": {"aiohttp"},
    "async_client/environment.py": {"certifi"},
    "async_client/failures.py": {"aiohttp"},
    "async_client/items.py": {"msgspec"},
    "async_client/response.py": {"msgspec"},
    "async_client/retry.py": {"backoff"},
}
KINDS = ("upsert", "delete", "truncate", "checkpoint", "warning")


def modules():
    """Find the connector's modules: their paths from the root, and their trees."""
    paths = [
        path
        for room in ROOMS
        for path in sorted([*ROOT.glob(f"{room}.py"), *ROOT.glob(f"{room}/**/*.py")])
    ]
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


MODULES = modules()


def imported(tree):
    """List the modules that a tree imports, with dots."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import of ours is absolute"
            yield node.module


def imported_at_run_time(tree):
    """List what is imported when the module is, without what only a type checker reads."""
    kept = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    return set(imported(ast.Module(body=kept, type_ignores=[])))


def room_of(module):
    """Give the room of a module of ours, named with dots; None if it is not ours."""
    if module == "flatten.rules":
        return module
    top = module.split(".")[0]
    return top if top in ROOMS else None


def dotted(path):
    """Name a module as an import does."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def calls(tree):
    """List the calls in a tree as (what is called, node)."""
    return [
        (ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)
    ]


def test_the_rooms_are_found():
    """The rules below look at every module that ships: none is overlooked, none is a helper's."""
    assert {path.split("/")[0].removesuffix(".py") for path in MODULES} == set(ROOMS)
    assert len(MODULES) >= 18


@pytest.mark.parametrize("path", MODULES)
def test_imports_point_one_way(path):
    """The connector reads changes, changes read flatten, and neither knows of the client."""
    room = room_of(dotted(path))
    rooms = {room_of(module) for module in imported(MODULES[path])} - {None, room}
    assert rooms <= MAY_IMPORT[room]


def test_flatten_reads_endpoints_for_their_types_alone():
    """The endpoints read the rules of flatten, so flatten must not read them when it runs."""
    for path, tree in MODULES.items():
        if room_of(dotted(path)) in ("flatten", "flatten.rules", "changes"):
            assert "endpoints" not in imported_at_run_time(tree)


@pytest.mark.parametrize("path", MODULES)
def test_third_parties_are_read_where_they_belong(path):
    """Only the connector reads the SDK, only async_client aiohttp and only one module backoff."""
    ours = {module for module in imported(MODULES[path]) if room_of(module)}
    others = {module.split(".")[0] for module in set(imported(MODULES[path])) - ours}
    assert others - sys.stdlib_module_names == THIRD_PARTY.get(path, set())


@pytest.mark.parametrize("path", MODULES)
def test_nothing_prints_logs_by_itself_or_exits(path):
    """What is told goes through the SDK's log, and a sync ends by an exception."""
    called = {name for name, _ in calls(MODULES[path])}
    assert called.isdisjoint(
        {"print", "input", "exit", "quit", "sys.exit", "os._exit", "breakpoint"}
    )
    assert set(imported(MODULES[path])).isdisjoint({"logging", "sys", "warnings"})


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.split("/")[0] in ("flatten", "changes")]
)
def test_the_pure_rooms_do_no_io(path):
    """Flattening and planning read no file, no clock and no chance."""
    reads = {module.split(".")[0] for module in imported(MODULES[path])}
    assert reads.isdisjoint({"os", "pathlib", "io", "time", "random", "asyncio", "threading"})
    assert "open" not in {name for name, _ in calls(MODULES[path])}


def operations(tree):
    """List the calls of the SDK's operations as (kind, node)."""
    return [
        (name.removeprefix("op."), node) for name, node in calls(tree) if name.startswith("op.")
    ]


def test_each_operation_has_one_call_site():
    """Every kind of operation is emitted in one place, and that place is in connector.py."""
    found = {path: sorted(kind for kind, _ in operations(tree)) for path, tree in MODULES.items()}
    assert {path: kinds for path, kinds in found.items() if kinds} == {
        "connector.py": sorted(KINDS)
    }


def test_no_operation_stands_in_a_try_that_catches():
    """The first operation that raises fails the sync, caught or not, so none may look caught."""
    for node in ast.walk(MODULES["connector.py"]):
        if isinstance(node, ast.Try) and node.handlers:
            assert operations(node) == []


def test_every_operation_has_a_comment_that_says_what_it_does():
    """The line above each call is a comment, for those who read the connector as an example."""
    lines = (ROOT / "connector.py").read_text(encoding="utf-8").splitlines()
    for kind, node in operations(MODULES["connector.py"]):
        assert lines[node.lineno - 2].strip().startswith("# "), kind


def public(tree):
    """List the public classes and functions of a module, and the public methods of its classes."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, kinds) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


@pytest.mark.parametrize("path", MODULES)
def test_everything_public_has_a_docstring(path):
    """Modules, classes, functions and methods say what they are for, in a sentence."""
    first_lines = {
        getattr(node, "name", path): (ast.get_docstring(node) or "").split("\n\n")[0]
        for node in (MODULES[path], *public(MODULES[path]))
    }
    assert [name for name, line in first_lines.items() if not line.endswith((".", ":"))] == []


def test_no_pyproject_hides_the_requirements():
    """With a pyproject.toml at the root the platform would not read requirements.txt."""
    assert not (ROOT / "pyproject.toml").exists()


def test_requirements_are_pins_of_what_is_installed():
    """Each requirement is pinned to the version that is tested; Fivetran's own are left out."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert pins == {name: version(name) for name in pins}
    assert set(pins) == set().union(*THIRD_PARTY.values()) - {"fivetran_connector_sdk"}


def test_the_configuration_holds_placeholders_for_the_fields_of_the_form():
    """The file that is checked in has every key of the setup form, and no value of anyone's."""
    configuration = json.loads((ROOT / "configuration.json").read_text(encoding="utf-8"))
    fields = connector.configuration_form().to_response().fields
    assert list(configuration) == [field.name for field in fields]
    assert list(configuration) == [
        "bearer_token",
        "base_url",
        "request_timeout_seconds",
        "skip_endpoints",
    ]
    assert all(re.fullmatch(r"<[A-Z0-9_]+>", value) for value in configuration.values())

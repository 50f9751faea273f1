"""The pictures of the README, drawn from what was measured; SVG with its text as outlines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.profiles import COLD, PROFILES, UNCHANGED
from benchmarks.results import (
    CONNECTOR,
    DOWNLOAD,
    REPLAY,
    SEQUENTIAL,
    THREADS,
    Cell,
    Results,
    Span,
)
from endpoints import ENDPOINTS

TIMELINE_FILE = "timeline.svg"
LATENCY_FILE = "latency.svg"

# Okabe and Ito's palette, which readers with any kind of colour vision can tell apart.
_GREY, _BLUE, _SKY, _GREEN, _ORANGE, _VERMILION = (
    "#777777",
    "#0072B2",
    "#56B4E9",
    "#009E73",
    "#E69F00",
    "#D55E00",
)
_KINDS = {
    DOWNLOAD: (_SKY, "from the request to the last byte of the answer"),
    REPLAY: (_ORANGE, "from the first row to the checkpoint"),
}
_BOUND = "bound"
_VARIANTS = {
    _BOUND: (_GREY, "bound: network and SDK alone"),
    CONNECTOR: (_BLUE, "this connector"),
    THREADS: (_GREEN, "requests in threads"),
    SEQUENTIAL: (_ORANGE, "one request after another"),
}
_STATE_WORDS = {COLD: "First sync", UNCHANGED: "Sync without a change"}
_STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "benchmarks",  # the same results give the same file
}


def draw(results: Results, folder: Path, suffix: str = ".svg") -> None:
    """Write both pictures into ``folder``."""
    with mpl.rc_context(_STYLE):
        for name, figure in ((TIMELINE_FILE, timeline(results)), (LATENCY_FILE, latency(results))):
            path = (folder / name).with_suffix(suffix)
            figure.savefig(path, metadata={"Date": None} if suffix == ".svg" else None)


def timeline(results: Results) -> Figure:
    """Draw one first sync, the connector's above the sequential baseline's, on one time axis."""
    figure = Figure(figsize=(9, 7.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    spans = results.timeline.spans
    _lanes(upper, "This connector: all requests at once", spans[CONNECTOR])
    _lanes(lower, "One request after another", spans[SEQUENTIAL])
    bound = results.timeline.bound
    upper.axvline(bound, color=_VERMILION, linestyle=(0, (4, 2)), linewidth=1.6)
    upper.annotate(
        f"bound {bound:.2f} s: network and SDK alone",
        (bound, 0),
        xytext=(40, 0),
        textcoords="offset points",
        va="center",
        color=_VERMILION,
        arrowprops={"arrowstyle": "-", "color": _VERMILION},
    )
    lower.set_xlabel("seconds since the sync began")
    lower.set_xlim(left=0)
    handles = [Patch(color=colour, label=words) for colour, words in _KINDS.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _lanes(axes: Axes, title: str, spans: Sequence[Span]) -> None:
    """Draw a lane per endpoint for its download, and below these one for its replay."""
    names = [endpoint.name for endpoint in ENDPOINTS]
    kinds = list(_KINDS)
    places = {
        (kind, name): kinds.index(kind) * (len(names) + 0.7) + names.index(name)
        for kind in kinds
        for name in names
    }
    for span in spans:
        place = places[span.kind, span.endpoint]
        axes.barh(place, span.end - span.start, left=span.start, color=_KINDS[span.kind][0])
    axes.set_yticks(list(places.values()), [name for _, name in places], fontsize=9.5)
    axes.set_ylim(max(places.values()) + 0.7, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_title(title, loc="left", fontweight="bold", fontsize=12)
    end = max(span.end for span in spans)
    axes.annotate(
        f"last checkpoint {end:.2f} s",
        (end, max(places.values())),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        fontweight="bold",
    )
    # Room for that text beside the longest bar.
    axes.set_xlim(right=max(axes.get_xlim()[1], end * 1.32))


def latency(results: Results) -> Figure:
    """Draw the median seconds of every variant by latency, first syncs beside unchanged ones."""
    profiles = [profile.name for profile in PROFILES if results.cell(profile.name, COLD)]
    figure = Figure(figsize=(9, 1.6 + 0.95 * len(profiles)), layout="constrained")
    states = (COLD, UNCHANGED)
    for axes, state in zip(figure.subplots(1, len(states), sharey=True), states, strict=True):
        _bars(axes, state, [(name, results.cell(name, state)) for name in profiles])
    handles = [Patch(color=colour, label=words) for colour, words in _VARIANTS.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _bars(axes: Axes, state: str, cells: Sequence[tuple[str, Cell | None]]) -> None:
    longest = 0.0
    for row, (_, cell) in enumerate(cells):
        for place, (variant, (colour, _)) in enumerate(_VARIANTS.items()):
            seconds = _median(cell, variant) if cell else None
            if seconds is None:
                continue
            at = row + (place - 1.5) * 0.2
            axes.barh(at, seconds, height=0.19, color=colour)
            weight = "bold" if variant == CONNECTOR else "normal"
            axes.text(seconds, at, f" {seconds:.2f}", va="center", fontsize=9, fontweight=weight)
            longest = max(longest, seconds)
    axes.set_xlim(0, longest * 1.16)
    axes.set_yticks(range(len(cells)), [_profile_words(profile) for profile, _ in cells])
    axes.set_ylim(len(cells) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_title(_STATE_WORDS[state], loc="left", fontweight="bold", fontsize=12)
    axes.set_xlabel("seconds until the last checkpoint")


def _median(cell: Cell, variant: str) -> float | None:
    return cell.bound if variant == _BOUND else cell.seconds(variant)


def _profile_words(profile: str) -> str:
    return f"answers\nafter {profile}" if profile[0].isdigit() else "realistic:\n0.2 to 1.4 s"

"""The picture of an initial sync on a time axis, as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median_low

from benchmarks.results import Results, Run, lower_bound
from endpoints import ENDPOINTS

# The colors of Okabe and Ito, which readers with any color vision can distinguish.
_DOWNLOAD, _REPLAY, _BOUND = "#56B4E9", "#E69F00", "#D55E00"
_BOLD = 'font-weight="bold"'
_LEFT, _WIDTH, _LANE, _TOP = 130, 620, 18, 50
_PANEL = 13 * _LANE + 45
_START = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="12"
  font-family="sans-serif"><rect width="{width}" height="{height}" fill="white"/>"""


def timeline(results: Results) -> str:
    """Draw the connector's median initial sync in the realistic profile above a sequential one."""
    runs = results.of("latency", variant="connector", case="realistic", state="initial")
    middle = median_low(run.seconds for run in runs)
    run = next(run for run in runs if run.seconds == middle)
    (peer,), (download,), (alone,) = (
        results.like(run, variant) for variant in ("sequential", "download", "sdk alone")
    )
    scale, height = (_WIDTH - 170) / peer.seconds, _TOP + 2 * _PANEL + 10
    bound = lower_bound(download, alone)
    label = f"lower bound {bound:.2f} s: network and SDK alone"
    x, bottom = _LEFT + bound * scale, _TOP + _PANEL - 20
    parts = [
        _START.format(width=_LEFT + _WIDTH, height=height),
        _bar(_LEFT, 10, 14, _DOWNLOAD),
        _text(_LEFT + 20, 22, "from the request to the last byte of the response"),
        _bar(_LEFT + 330, 10, 14, _REPLAY),
        _text(_LEFT + 350, 22, "from the first row to the checkpoint"),
        *_axis(peer.seconds, scale, height),
        *_panel(_TOP, "This connector: all requests at once", run, scale),
        f'<path d="M{x:.1f} {_TOP + 8}V{bottom}" stroke="{_BOUND}" stroke-dasharray="4 2"/>',
        _text(x + 8, bottom - 80, label, f'fill="{_BOUND}"'),
        *_panel(_TOP + _PANEL, "One request after another", peer, scale),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _panel(top: float, title: str, run: Run, scale: float) -> Iterator[str]:
    """Draw a lane per endpoint for its download, and below these one for its replay."""
    yield _text(_LEFT, top, title, _BOLD)
    written = 0.0
    for lane, endpoint in enumerate(ENDPOINTS):
        # All requests are sent at once, or each when the endpoint before it is written.
        sequential = run.variant == "sequential"
        arrived = run.arrived[endpoint.name]
        upper, lower = (top + 8 + _LANE * (lane + gap) for gap in (0, 6.5))
        began, replayed = written if sequential else 0.0, max(arrived, written)
        written = run.written[endpoint.name]
        for y, start, end, colour in (
            (upper, began, arrived, _DOWNLOAD),
            (lower, replayed, written, _REPLAY),
        ):
            yield _text(_LEFT - 8, y + 11, endpoint.name, 'text-anchor="end"')
            yield _bar(_LEFT + start * scale, y, (end - start) * scale, colour)
    yield _text(_LEFT + written * scale + 8, lower + 11, f"last checkpoint {written:.2f} s", _BOLD)


def _axis(seconds: float, scale: float, height: float) -> Iterator[str]:
    for second in range(int(seconds) + 1):
        x = _LEFT + second * scale
        yield f'<path d="M{x:.1f} {_TOP + 4}V{height - 35}" stroke="#dddddd"/>'
        yield _text(x, height - 18, f"{second} s", 'text-anchor="middle"')


def _bar(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" {style}>{text}</text>'

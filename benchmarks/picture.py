"""The picture of an initial sync on a time axis, as SVG."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.results import Results, Run

# The colors of Okabe and Ito, which readers with any color vision can distinguish.
_DOWNLOAD, _REPLAY, _BOUND = "#56B4E9", "#E69F00", "#D55E00"
_LEFT, _WIDTH, _LANE, _TOP, _PANEL = 130, 620, 18, 50, 279


def timeline(results: Results) -> str:
    """Draw the connector's median initial sync in the realistic profile above a sequential one."""
    variants = ("connector", "sequential", "lower bound")
    runs = [
        results.of("latency", case="realistic", state="initial", variant=name) for name in variants
    ]
    rounds = sorted(zip(*runs, strict=True), key=lambda each: each[0].seconds)
    run, peer, bound = rounds[(len(rounds) - 1) // 2]
    scale, width, height = (_WIDTH - 170) / peer.seconds, _LEFT + _WIDTH, _TOP + 2 * _PANEL + 10
    x = _LEFT + bound.seconds * scale
    label = f"lower bound {bound.seconds:.2f} s: network and SDK alone"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="12"',
        f'  font-family="sans-serif"><rect width="{width}" height="{height}" fill="white"/>',
        _bar(_LEFT, 10, 14, _DOWNLOAD),
        _text(_LEFT + 20, 22, "from the request to the last byte of the response"),
        _bar(_LEFT + 330, 10, 14, _REPLAY),
        _text(_LEFT + 350, 22, "from the first row to the checkpoint"),
    ]
    for second in range(int(peer.seconds) + 1):
        tick = _LEFT + second * scale
        parts.append(f'<path d="M{tick:.1f} {_TOP + 4}V{height - 35}" stroke="#dddddd"/>')
        parts.append(_text(tick, height - 18, f"{second} s", 'text-anchor="middle"'))
    parts += _panel(_TOP, "This connector: all requests at once", run, scale)
    line = (
        f'<path d="M{x:.1f} {_TOP + 8}v{_PANEL - 28}" stroke="{_BOUND}" stroke-dasharray="4 2"/>'
    )
    parts += [line, _text(x + 8, _TOP + _PANEL - 100, label, f'fill="{_BOUND}"')]
    parts += [*_panel(_TOP + _PANEL, "One request after another", peer, scale), "</svg>\n"]
    return "\n".join(parts)


def _panel(top: float, title: str, run: Run, scale: float) -> Iterator[str]:
    """Draw a lane per endpoint for its download, and below these one for its replay."""
    yield _text(_LEFT, top, title, 'font-weight="bold"')
    written = 0.0
    for lane, name in enumerate(run.written):
        # All requests are sent at once, or each when the endpoint before it is written.
        began, arrived = written if run.variant == "sequential" else 0.0, run.arrived[name]
        replayed, written = max(arrived, written), run.written[name]
        upper, lower = (top + 8 + _LANE * (lane + gap) for gap in (0, 6.5))
        yield _text(_LEFT - 8, upper + 11, name, 'text-anchor="end"')
        yield _bar(_LEFT + began * scale, upper, (arrived - began) * scale, _DOWNLOAD)
        yield _text(_LEFT - 8, lower + 11, name, 'text-anchor="end"')
        yield _bar(_LEFT + replayed * scale, lower, (written - replayed) * scale, _REPLAY)
    yield _text(_LEFT + written * scale + 8, lower + 11, f"last checkpoint {written:.2f} s")


def _bar(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y}" {style}>{text}</text>'

"""What is measured: how long answers take, what has changed since the last sync, how often."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints import ENDPOINTS

RUNS = 5
TIMELINE_PROFILE = "realistic"

COLD, UNCHANGED, CHANGED = "cold", "unchanged", "changed"
STATES = (COLD, UNCHANGED, CHANGED)


@dataclass(frozen=True)
class Profile:
    """How long each endpoint thinks before it answers, in seconds.

    `peer_runs` bounds the runs of the variants that stand beside the connector, and `peer_states`
    names the catalogs for which they run: where answers take seconds, they take most of the time
    and show nothing new.
    """

    name: str
    latency_seconds: dict[str, float]
    peer_runs: int = RUNS
    peer_states: tuple[str, ...] = (COLD, UNCHANGED)


def _all(seconds: float) -> dict[str, float]:
    return {endpoint.name: seconds for endpoint in ENDPOINTS}


PROFILES = (
    Profile("0 s", _all(0.0)),
    Profile("0.3 s", _all(0.3)),
    Profile("1 s", _all(1.0)),
    Profile("3 s", _all(3.0), peer_runs=1, peer_states=(COLD,)),
    # The heavier the slower: in the order of the sizes of their bodies.
    Profile(
        TIMELINE_PROFILE,
        {
            "custom_tracks": 0.2,
            "assessments": 0.2,
            "tracks": 0.4,
            "practices": 0.5,
            "projects": 0.5,
            "courses": 1.4,
        },
    ),
)


@dataclass(frozen=True)
class Extent:
    """How much of it all one invocation measures."""

    quick: bool = False
    runs: int = RUNS

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The profiles, or the two that a quick check needs."""
        return (PROFILES[0], PROFILES[-1]) if self.quick else PROFILES

    @property
    def scales(self) -> tuple[int, ...]:
        """How many times the real size the catalog grows."""
        return (1, 3) if self.quick else (1, 3, 10, 30)

"""One sync in a process of its own: ``python -m benchmarks.worker JOB`` prints how it went."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import msgspec
from fivetran_connector_sdk import Operations

import connector
import report
from benchmarks import sdk
from benchmarks.jobs import Job, Outcome
from benchmarks.results import ALONE, CONNECTOR, SEQUENTIAL, THREADS
from benchmarks.sequential import sequential
from benchmarks.sinks import Nowhere, Operation, Recorder, Sink, recorded
from benchmarks.threads import threads
from benchmarks.watch import Watch

Configuration = Mapping[str, str]
Variant = Callable[[Configuration, sdk.State, Watch], None]


def main() -> int:
    """Run the job that the command line holds."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    # The SDK's log goes nowhere, also what it has to say when the process ends.
    nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    answer, sys.stdout = sys.stdout, nowhere
    answer.buffer.write(msgspec.json.encode(run(job)))
    return 0


def run(job: Job) -> Outcome:
    """Run a job in this process."""
    sdk.allow_logging()
    folder = Path(job.folder)
    configuration = {"bearer_token": job.token, "base_url": job.base_url}
    sink = _sink(job, folder)
    watch, variant = Watch(sink), _variant(job)

    def update(configuration: Configuration, state: sdk.State) -> None:
        watch.start()
        variant(configuration, state, watch)

    if job.nowhere:
        update(configuration, sdk.state_of(folder))
    else:
        sdk.sync(update, configuration, folder)
    sample = watch.sample()
    if isinstance(sink, Recorder):
        sink.save(Path(job.recording))
    return Outcome(sample, watch.spans(), watch.body_bytes)


def _sink(job: Job, folder: Path) -> Sink:
    if not job.nowhere:
        sink: Sink = Operations
        return sink
    return (Recorder if job.recording else Nowhere)(sdk.state_file(folder))


def _variant(job: Job) -> Variant:
    if job.variant == CONNECTOR:
        return _connector
    if job.variant == ALONE:
        segments = recorded(Path(job.recording))
        return lambda _configuration, _state, watch: _replay(segments, watch)
    baseline = {SEQUENTIAL: sequential, THREADS: threads}[job.variant]
    return lambda configuration, _state, watch: baseline(configuration, watch)


def _connector(configuration: Configuration, state: sdk.State, watch: Watch) -> None:
    _stand_in(connector, op=watch, process_endpoint=watch.replaying(connector.process_endpoint))
    _stand_in(report, fetched=watch.arriving(report.fetched))
    connector.update(configuration, state)


def _stand_in(module: ModuleType, **attributes: object) -> None:
    """Replace names of a module for the rest of the process."""
    for name, value in attributes.items():
        setattr(module, name, value)


def _replay(segments: Mapping[str, list[Operation]], watch: Watch) -> None:
    """Give the SDK the recorded operations, and nothing else to do."""
    for endpoint_name, operations in segments.items():
        started = time.perf_counter()
        for name, *arguments in operations:
            getattr(watch, str(name))(*arguments)
        watch.passed(ALONE, endpoint_name, started)


if __name__ == "__main__":
    sys.exit(main())

"""Making the calls of cases in a process of its own while further documents are still being read and put.

Reading documents and making calls take about the same time, and the interpreter does one thing at a time. What the
other process does not come to, or leaves behind when it dies, is made by the next ``ingest.cip.project``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

from app.config import Settings
from app.errors import OperonError
from ingest.cip import BATCH, project
from ingest.cip_report import CipReport
from ingest.progress import Progress
from ingest.workspace import Workspace, open_workspace

WORTH_IT: Final = 50
"""From so many files on, another process pays for its start"""
_PAUSE_SECONDS: Final = 0.2


@contextmanager
def projecting_beside(workspace: Workspace, progress: Progress, files: int) -> Iterator[CipReport]:
    """Make the calls of the cases that are put meanwhile; the report is complete at the end.

    For few files, or on one processor, all calls are made at the end.

    Raises:
        Busy: another ingest has the store.
    """
    report = CipReport()
    if files < WORTH_IT or (os.cpu_count() or 1) < 2:
        yield report
    else:
        ours, theirs = get_context("spawn").Pipe()
        child = get_context("spawn").Process(target=_work, args=(workspace.settings, theirs), daemon=True)
        child.start()
        theirs.close()
        try:
            yield report
            with suppress(EOFError, OSError):
                ours.send(None)
                found = ours.recv()
                report.add(found.outcomes)
                report.seconds += found.seconds
        finally:
            ours.close()
            child.join()
    rest = project(workspace, progress)
    report.add(rest.outcomes)
    report.seconds += rest.seconds


def _work(settings: Settings, pipe: Connection) -> None:
    """Make calls until there is nothing more to wait for, then tell what was made."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that reads hears the keyboard, and closes the pipe
    report, quiet = CipReport(), Progress(quiet=True)
    with suppress(EOFError, OSError, OperonError), open_workspace(settings) as workspace:
        is_over = False
        while True:
            # Asked before: what is put until then is made in the last round.
            if not is_over and pipe.poll(0 if report.outcomes else _PAUSE_SECONDS):
                pipe.recv()
                is_over = True
            made = project(workspace, quiet, most=BATCH)
            report.add(made.outcomes)
            report.seconds += made.seconds
            if not made.outcomes:
                if is_over:
                    break
                pipe.poll(_PAUSE_SECONDS)
    with suppress(OSError):
        pipe.send(report)

"""Ends the runs of a process the way the process ends, so that their status tells the truth.

Installed with the first run: an exit handler, hooks of `sys.excepthook` and `sys.exit` that only take note and pass on,
and handlers of SIGTERM and SIGHUP where nobody else has one. What none of them sees (kill -9, `os._exit`) the
reader finds out from the process itself.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn

from tracker.run import ending_of
from tracker.schema import Status

EndAll = Callable[[Status, str | None], None]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Endings:
    """Calls `end_all(status, cause)` once when the process ends."""

    def __init__(self, end_all: EndAll) -> None:
        self._end_all = end_all
        self._installed = False
        self._ending: tuple[Status, str | None] = ("FINISHED", None)
        self._exit: tuple[FrameType, int] | None = None
        """The outermost frame at the last `sys.exit`, and where in it that was."""

    def install(self) -> None:
        """Install everything; the second call does only what could not be done by the first."""
        if threading.current_thread() is threading.main_thread():
            self._install_signals()
        if self._installed:
            return
        self._installed = True
        self._hook_excepthook()
        self._hook_exit()
        atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        frame, place = self._exit or (None, None)
        caught = frame is not None and frame.f_lasti != place  # the program went on after sys.exit
        self._end_all(*(("FINISHED", None) if caught else self._ending))

    def _hook_excepthook(self) -> None:
        passed_on = sys.excepthook

        def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
            self._ending, self._exit = ending_of(error), None
            passed_on(kind, error, trace)

        sys.excepthook = note

    def _hook_exit(self) -> None:
        passed_on = sys.exit

        def note(code: str | int | None = None, /) -> NoReturn:
            if threading.current_thread() is threading.main_thread():
                frame = _outermost(sys._getframe())
                self._ending, self._exit = ending_of(SystemExit(code)), (frame, frame.f_lasti)
            passed_on(code)

        sys.exit = note

    def _install_signals(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._on_signal)
                _hold_while_forking(number)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """End the runs, then let the signal do what it would have done."""
        signal.signal(number, signal.SIG_DFL)
        self._end_all("KILLED", signal.Signals(number).name)
        os.kill(os.getpid(), number)


def _hold_while_forking(number: int) -> None:
    """Python forgets a signal that reaches a child before it is all there, and whoever waits for its end hangs."""
    if not hasattr(os, "register_at_fork"):
        return
    before = threading.local()

    def release() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before.mask)

    def hold() -> None:
        before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, [number])

    os.register_at_fork(before=hold, after_in_parent=release, after_in_child=release)


def _outermost(frame: FrameType) -> FrameType:
    while frame.f_back is not None:
        frame = frame.f_back
    return frame

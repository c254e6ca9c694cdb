"""A sampling profiler: where the main thread is, every few milliseconds. Costs little, so what it
shows is what happens without it."""

import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType


class Sampler:
    """`start` it and `stop` it; `report` tells the shares of time by function."""

    def __init__(self, interval_s: float = 0.003) -> None:
        self._interval_s = interval_s
        self._thread_id = threading.get_ident()
        self._stopped = threading.Event()
        self._own: Counter[str] = Counter()
        self._all: Counter[str] = Counter()
        self._samples = 0

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def report(self, rows: int = 45) -> str:
        """Own and inclusive share of all samples."""
        total = max(self._samples, 1)
        lines = [f"{self._samples} samples; share of time in the function itself, and below it"]
        for name, count in self._own.most_common(rows):
            lines.append(f"{100 * count / total:6.1f} %  {name}")
        lines.append("inclusive")
        for name, count in self._all.most_common(rows):
            lines.append(f"{100 * count / total:6.1f} %  {name}")
        return "\n".join(lines)

    def write(self, path: str) -> None:
        """The report to a file; nothing when there is no path."""
        if path:
            Path(path).write_text(self.report())

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            frame = sys._current_frames().get(self._thread_id)
            if frame is not None:
                self._take(frame)

    def _take(self, frame: FrameType) -> None:
        self._samples += 1
        self._own[_name(frame)] += 1
        seen: set[str] = set()
        walk: FrameType | None = frame
        while walk is not None:
            seen.add(_name(walk))
            walk = walk.f_back
        self._all.update(seen)


def _name(frame: FrameType) -> str:
    file = frame.f_code.co_filename.split("site-packages/")[-1].split("/main/")[-1]
    return f"{file}:{frame.f_code.co_qualname}"

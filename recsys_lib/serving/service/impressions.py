"""The impression log: who was shown what, where, by which versions; and how it is read again."""

import json
import logging
import os
import queue
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

logger = logging.getLogger(__name__)

COLUMNS = (
    "request_id",
    "at",
    "user_id",
    "item_id",
    "position",
    "channel",
    "score",
    "level",
    "source",
    "ranker",
    "model_version",
    "feature_version",
    "propensity",
)
OF_PLACES = ("item_id", "channel", "score", "propensity")  # of an impression: lists


class ImpressionLog:
    """Appends each answer as a line of JSON, from a thread of its own: no request waits for a disk.

    Parameters
    ----------
    folder : Path
        Each process writes files of its own there.
    file_bytes : int
        Size at which a new file is begun.
    kept : int
        Files of this process that stay; older ones are removed.
    waiting : int
        Lines that may wait to be written; more are dropped and counted.

    Attributes
    ----------
    dropped : int
    """

    def __init__(
        self, folder: Path, *, file_bytes: int = 50_000_000, kept: int = 20, waiting: int = 10_000
    ):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file_bytes = file_bytes
        self.kept = kept
        self.dropped = 0
        self._name = f"impressions-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._files: list[Path] = []
        self._queue: queue.Queue[Mapping | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._write, name="impressions", daemon=True)
        self._thread.start()

    def add(self, impression: Mapping) -> None:
        """Take an answer: the fields of :data:`COLUMNS`, those of its places as lists."""
        try:
            self._queue.put_nowait(impression)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        file, ended = None, False
        while not ended:
            lines = [self._queue.get()]
            while not self._queue.empty():
                lines.append(self._queue.get())
            ended = None in lines
            try:
                if file is None or file.tell() > self.file_bytes:
                    file = self._next_file(file)
                file.writelines(json.dumps(line) + "\n" for line in lines if line is not None)
                file.flush()
            except OSError as error:
                self.dropped += len(lines)
                logger.warning("impressions are lost: %s", error)
        if file is not None:
            file.close()

    def _next_file(self, file):
        if file is not None:
            file.close()
        self._files.append(self.folder / f"{self._name}-{len(self._files):04}.jsonl")
        if len(self._files) > self.kept:
            self._files[-self.kept - 1].unlink(missing_ok=True)
        return open(self._files[-1], "a", encoding="utf-8")


def impression(answer: Mapping) -> dict:
    """Return what the log keeps of an answer of the service."""
    items = answer["items"]
    return {
        "request_id": answer["request_id"],
        "at": time.time(),
        "user_id": answer["user_id"],
        **{name: [item[name] for item in items] for name in OF_PLACES},
        "level": answer["level"],
        "source": answer["source"],
        "ranker": answer["ranker"],
        "model_version": answer["versions"]["model"],
        "feature_version": answer["versions"]["features"],
    }


def read_impressions(folder: Path) -> pd.DataFrame:
    """Return the impressions of all processes, one row for each place of each list.

    Parameters
    ----------
    folder : Path
        As given to :class:`ImpressionLog`.

    Returns
    -------
    DataFrame
        The columns :data:`COLUMNS`, in order of time; ``position`` counts from 1, ``propensity``
        is the probability with which the place was given to the item. A line that a crash tore is
        left out.
    """
    answers = []
    for path in sorted(Path(folder).glob("impressions-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                answers.append(json.loads(line))
            except ValueError:
                continue
    frame = pd.DataFrame(answers, columns=[name for name in COLUMNS if name != "position"])
    frame["position"] = [list(range(1, len(items) + 1)) for items in frame["item_id"]]
    frame = frame[frame["item_id"].map(len) > 0].explode([*OF_PLACES, "position"])
    types = {"position": "int64", "score": "float64", "propensity": "float64"}
    return frame[list(COLUMNS)].astype(types).sort_values(["at", "position"], ignore_index=True)

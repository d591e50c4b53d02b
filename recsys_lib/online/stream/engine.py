"""The engine between source and sink: Spark Structured Streaming, with a checkpoint (S24).

Spark plans which files make a batch, writes the plan down before it begins, and notes when a batch
has ended. After a crash it plans the same batch again. What a line means and whether it counts is
decided in :mod:`recsys_lib.online.stream.events` alone.
"""

import json
from pathlib import Path

from recsys_lib.online.stream.sink import StreamSink


def start_stream(
    spark,
    source: Path,
    checkpoint: Path,
    sink: StreamSink,
    *,
    files_a_batch: int | None = None,
    until_empty: bool = False,
):
    """Let the files of a folder flow into a sink.

    Parameters
    ----------
    spark : pyspark.sql.SparkSession
    source : Path
        Folder of files of JSON lines, as :func:`~recsys_lib.online.stream.write_events` makes them.
    checkpoint : Path
        Spark's own folder. It belongs to this source and to the sink's Redis; keep all three, or
        none.
    sink : StreamSink
    files_a_batch : int, optional
        At most so many files make a batch.
    until_empty : bool
        End when all files there are have been read; else go on until ``stop()``.

    Returns
    -------
    pyspark.sql.streaming.StreamingQuery
        ``awaitTermination()`` raises what stopped it.
    """
    source = Path(source).absolute()
    source.mkdir(parents=True, exist_ok=True)
    checkpoint = Path(checkpoint).absolute()
    reader = spark.readStream.format("text")
    if files_a_batch is not None:
        reader = reader.option("maxFilesPerTrigger", files_a_batch)

    def apply(frame, batch: int) -> None:
        lines = [row.value for row in frame.collect()]
        sink.apply(lines, batch, query_of(checkpoint))

    writer = reader.load(str(source)).writeStream.foreachBatch(apply)
    writer = writer.option("checkpointLocation", str(checkpoint))
    if until_empty:
        writer = writer.trigger(availableNow=True)
    return writer.start()


def query_of(checkpoint: Path) -> str:
    """Return the id that a checkpoint gives its query, the same after every restart."""
    return json.loads((Path(checkpoint) / "metadata").read_text(encoding="utf-8"))["id"]

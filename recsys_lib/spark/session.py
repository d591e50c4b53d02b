"""One way to start Spark: quiet, bounded, and the same on every machine."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from threading import Thread

from recsys_lib.errors import MachineError
from recsys_lib.native_log import native_log, native_stderr_to_log
from recsys_lib.spark.java import find_java

log = logging.getLogger(__name__)

LOCALHOST = "127.0.0.1"

# All traffic stays on this machine; no name has to resolve, no network has to be up.
_LOCAL = {"spark.driver.host": LOCALHOST, "spark.driver.bindAddress": LOCALHOST}

# Most jobs of this course take seconds, most of which go to Java's own start and compiler: it
# does with the simplest collector of garbage and the first of its two compilers.
QUICK_JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"

_DEFAULTS = {
    # In local mode the driver does all the work. Beyond this Spark spills to disk; it leaves
    # room for TensorFlow and the kernel on a machine of 16 GB.
    "spark.driver.memory": "4g",
    "spark.driver.extraJavaOptions": QUICK_JAVA,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Each sort clears a page of memory before the first row; the default is 64 MB.
    "spark.buffer.pageSize": "2m",
    # The default of 200 partitions costs more in scheduling than the work on a small data set.
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def spark_session(app_name: str, master: str = "local[2]", **conf: str):
    """Return the running Spark session, or start one.

    Parameters
    ----------
    app_name : str
        Name shown in Spark's log.
    master : str
        ``local[n]`` for n threads in this process, or ``spark://host:port`` of a cluster.
    **conf : str
        Spark settings that override the defaults here, as ``**{"spark.driver.memory": "8g"}``.

    Returns
    -------
    pyspark.sql.SparkSession
        Calling again in one process gives the same session; settings of the virtual machine
        (memory, addresses) are those of the first call.

    Raises
    ------
    MachineError
        No Java that Spark can use, or Spark did not start; says what to do.
    """
    java, version = find_java()
    log.debug("Spark starts with Java %s at %s", version, java)

    import pyspark
    from pyspark.sql import SparkSession

    # Another Python on the PATH, or another Spark in SPARK_HOME, fails late and in 200 lines.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_HOME"] = os.path.dirname(pyspark.__file__)
    local = master.startswith("local")
    if local:
        os.environ["SPARK_LOCAL_IP"] = LOCALHOST

    settings = (_LOCAL if local else {}) | _DEFAULTS
    # Only tables made by name would go there; the default is a folder in the working folder.
    settings["spark.sql.warehouse.dir"] = os.path.join(
        tempfile.gettempdir(), "recsys-spark-warehouse"
    )
    builder = SparkSession.builder.appName(app_name).master(master)
    for name, value in (settings | conf).items():
        builder = builder.config(name, value)
    # The virtual machine inherits the redirected stream, so its later messages go to the log too.
    with native_stderr_to_log():
        try:
            session = builder.getOrCreate()
            session.sparkContext.setLogLevel("WARN")
        except Exception as error:
            raise MachineError(
                f"Spark did not start ({str(error).strip().splitlines()[0]}). "
                f"What it printed is in {native_log()}."
            ) from error
    return session


@contextlib.contextmanager
def borrowed_session(app_name: str, master: str = "local[2]", **conf: str) -> Iterator:
    """Yield the running Spark session and leave it running, or start one and end it.

    Ending takes the Java virtual machine with it: a notebook that trains a model should not
    carry gigabytes of it along because the library once made samples.
    """
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    session = running or spark_session(app_name, master, **conf)
    try:
        yield session
    finally:
        if running is None:
            # A thread of Spark's in this process notices the end within a second. It is not waited
            # for, and finding the virtual machine gone by then is no error.
            context = session.sparkContext
            updates, context._accumulatorServer = context._accumulatorServer, None
            if updates is not None:  # the block may have stopped the session itself
                updates.handle_error = lambda *_: None
                Thread(target=updates.shutdown, daemon=True).start()
            session.stop()
            gateway = SparkContext._gateway
            gateway.shutdown()
            gateway.proc.stdin.close()  # the virtual machine ends when this pipe does
            gateway.proc.wait(timeout=600)
            SparkContext._gateway = SparkContext._jvm = None

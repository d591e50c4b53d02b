"""Find a Java that Spark can start, before Spark is started.

Needs only the standard library: ``python -m recsys_lib.spark`` runs it before installation.
"""

import os
import re
import shutil
import subprocess

from recsys_lib.errors import MachineError

SUPPORTED = (17, 21)
HOW_TO_GET = (
    "Spark 4 needs Java 17 or 21. Debian/Ubuntu: 'apt install openjdk-17-jre-headless'; "
    "macOS: 'brew install openjdk@17'; conda: 'conda install openjdk=17'. "
    "If it is installed, set JAVA_HOME to its folder."
)


def find_java() -> tuple[str, int]:
    """Return the path of the ``java`` Spark would use and its major version.

    Raises
    ------
    MachineError
        No Java, one that does not run, or a version Spark 4 does not support; says how to get it.
    """
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    if java is None:
        raise MachineError(f"No Java found. {HOW_TO_GET}")
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineError(f"Java at {java} does not run ({error}). {HOW_TO_GET}") from None
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if answer.returncode or not match:
        raise MachineError(f"Java at {java} does not say its version. {HOW_TO_GET}")
    version = int(match.group(1))
    if version not in SUPPORTED:
        raise MachineError(f"Java {version} found at {java}. {HOW_TO_GET}")
    return java, version

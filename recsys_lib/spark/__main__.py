"""``python -m recsys_lib.spark``: end with one line of advice where Spark could not start."""

import sys

from recsys_lib.errors import MachineError
from recsys_lib.spark.java import find_java

try:
    find_java()
except MachineError as error:
    sys.exit(str(error))

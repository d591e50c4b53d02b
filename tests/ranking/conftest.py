"""What the tests of ranking share."""

from trained_samples import *  # noqa: F403

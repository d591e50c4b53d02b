"""A/B tests (A/B 测试): who sees what, what came of it, and how sure that is."""

from recsys_lib.evaluation.ab_test.analysis import (
    SAMPLE_RATIO_ALARM,
    Comparison,
    compare,
    compare_ratios,
    power,
    sample_ratio_p,
    users_needed,
)
from recsys_lib.evaluation.ab_test.calibration import false_alarms
from recsys_lib.evaluation.ab_test.exposures import EXPOSURES, Exposed, first_exposures, outcomes
from recsys_lib.evaluation.ab_test.interleaving import Interleaved, preference, team_draft
from recsys_lib.evaluation.ab_test.sequential import always_valid, mixing_variance, watch
from recsys_lib.evaluation.ab_test.splitter import Experiment, Splitter

__all__ = [
    "EXPOSURES",
    "SAMPLE_RATIO_ALARM",
    "Comparison",
    "Experiment",
    "Exposed",
    "Interleaved",
    "Splitter",
    "always_valid",
    "compare",
    "compare_ratios",
    "false_alarms",
    "first_exposures",
    "mixing_variance",
    "outcomes",
    "power",
    "preference",
    "sample_ratio_p",
    "team_draft",
    "users_needed",
    "watch",
]

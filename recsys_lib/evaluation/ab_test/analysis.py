"""What an A/B test says: differences with intervals, CUPED, power, the sample-ratio check."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import stdtr, stdtrit

from recsys_lib.errors import RecsysError
from recsys_lib.evaluation.intervals import Interval

# Below this p-value the numbers of users do not fit their shares, and nothing else is believed.
SAMPLE_RATIO_ALARM = 0.0005


@dataclass(frozen=True)
class Comparison:
    """Treatment against control, one figure a user.

    Attributes
    ----------
    control, treatment : float
        Means.
    difference : Interval
        Treatment less control.
    lift : Interval
        Difference by the mean of the control; its interval by the delta method.
    p_value : float
        Two-sided, of no difference (Welch, 1947).
    variance_kept : float
        Variance of the difference by what it is without a covariate; 1 if there is none.
    """

    control: float
    treatment: float
    difference: Interval
    lift: Interval
    p_value: float
    variance_kept: float = 1.0


def compare(control, treatment, *, control_before=None, treatment_before=None) -> Comparison:
    """Compare two groups of users.

    With what is known of the same users from before the test, the part of their differences that
    was there already is taken out (CUPED; Deng and others, 2013): the variance falls by the
    square of the correlation.

    Parameters
    ----------
    control, treatment : arrays, shapes (n,) and (m,)
    control_before, treatment_before : arrays, shapes (n,) and (m,), optional
        A covariate that the treatment can't have changed.
    """
    control, treatment = _group(control, "control"), _group(treatment, "treatment")
    plain = control.var(ddof=1) / len(control) + treatment.var(ddof=1) / len(treatment)
    if (control_before is None) != (treatment_before is None):
        raise RecsysError("A covariate is needed of both groups, or of none.")
    if control_before is not None:
        control, treatment = _without_the_past(
            control, treatment, np.asarray(control_before), np.asarray(treatment_before)
        )
    variances = np.array([g.var(ddof=1) / len(g) for g in (control, treatment)])
    variance = variances.sum()
    difference = treatment.mean() - control.mean()
    if variance == 0:
        raise RecsysError("All users of each group have the same figure: there is nothing to test.")
    freedom = variance**2 / (variances**2 / [len(control) - 1, len(treatment) - 1]).sum()
    quantile = stdtrit(freedom, 0.975)
    half = quantile * np.sqrt(variance)
    return Comparison(
        float(control.mean()),
        float(treatment.mean()),
        Interval(float(difference), float(difference - half), float(difference + half)),
        _lift(control.mean(), treatment.mean(), *variances, quantile),
        float(2 * stdtr(freedom, -abs(difference) / np.sqrt(variance))),
        float(variance / plain) if plain > 0 else 1.0,
    )


def compare_ratios(
    control_parts, control_wholes, treatment_parts, treatment_wholes
) -> Comparison:  # fmt: skip
    """Compare ratios of sums, such as clicks by impressions, where users are what was drawn.

    Rows of one user are no independent evidence. Each user's figure is linearised, ``(part -
    ratio * whole) / mean whole``, whose variance is that of the ratio (the delta method).

    Parameters
    ----------
    control_parts, control_wholes : arrays, shape (n,)
        Clicks and impressions of each user.
    treatment_parts, treatment_wholes : arrays, shape (m,)
    """
    linear = []
    for name, parts, wholes in (
        ("control", control_parts, control_wholes),
        ("treatment", treatment_parts, treatment_wholes),
    ):
        parts, wholes = _group(parts, name), _group(wholes, name)
        if wholes.sum() <= 0:
            raise RecsysError(f"The {name} group has nothing to divide by: its wholes are all 0.")
        ratio = parts.sum() / wholes.sum()
        linear.append(ratio + (parts - ratio * wholes) / wholes.mean())
    return compare(*linear)


def power(effect: float, sd: float, users: float, *, share: float = 0.5) -> float:
    """Return the probability that a test at 5 % notices an effect, in either direction.

    Parameters
    ----------
    effect : float
        Difference of the means.
    sd : float
        Standard deviation over users.
    users : float
        Of both groups.
    share : float
        Of them in the treatment.
    """
    error = sd / np.sqrt(users * share * (1 - share))
    limit = stats.norm.ppf(0.975)
    return float(stats.norm.sf(limit - effect / error) + stats.norm.cdf(-limit - effect / error))


def users_needed(effect: float, sd: float, *, share: float = 0.5, power: float = 0.8) -> int:
    """Return the users of both groups that notice an effect with probability ``power``."""
    if effect == 0 or not 0.05 < power < 1:
        raise RecsysError(
            f"No number of users notices an effect of {effect} with probability {power}; the "
            "effect must differ from 0, the power lie between 0.05 and 1."
        )
    quantiles = stats.norm.ppf(0.975) + stats.norm.ppf(power)
    return int(np.ceil((quantiles * sd / effect) ** 2 / (share * (1 - share))))


def sample_ratio_p(counts, shares) -> float:
    """Return the p-value of the numbers of users, given the shares that were planned.

    Below ``SAMPLE_RATIO_ALARM`` users are missing from a variant for a reason, and the comparison
    is worth nothing.

    Parameters
    ----------
    counts : array of int, shape (variants,)
    shares : array, shape (variants,)
    """
    counts, shares = np.asarray(counts, np.float64), np.asarray(shares, np.float64)
    return float(stats.chisquare(counts, counts.sum() * shares / shares.sum()).pvalue)


def _group(values, name: str) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise RecsysError(
            f"The {name} group needs one finite figure for each of two users or more; its shape is "
            f"{values.shape}, {int((~np.isfinite(values)).sum())} figures are not finite."
        )
    return values


def _without_the_past(control, treatment, control_before, treatment_before):
    """Subtract what the covariate predicts, with one slope for both groups."""
    groups = [(control, control_before), (treatment, treatment_before)]
    if any(len(after) != len(before) for after, before in groups):
        raise RecsysError("The covariate needs one figure for each user of its group.")
    centred = np.concatenate([before - before.mean() for _, before in groups])
    outcome = np.concatenate([after - after.mean() for after, _ in groups])
    spread = centred @ centred
    slope = centred @ outcome / spread if spread > 0 else 0.0
    middle = np.concatenate([before for _, before in groups]).mean()
    return [after - slope * (before - middle) for after, before in groups]


def _lift(control, treatment, control_variance, treatment_variance, quantile) -> Interval:
    if control == 0:
        return Interval(np.nan, np.nan, np.nan)
    ratio = treatment / control
    error = np.sqrt(treatment_variance + ratio**2 * control_variance) / abs(control)
    return Interval(
        float(ratio - 1), float(ratio - 1 - quantile * error), float(ratio - 1 + quantile * error)
    )

"""A/B tests: every user in one bucket, alarms as often as promised, and no more."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recsys_lib.errors import DataError, RecsysError
from recsys_lib.evaluation.ab_test import (
    SAMPLE_RATIO_ALARM,
    Experiment,
    Splitter,
    always_valid,
    compare,
    compare_ratios,
    false_alarms,
    first_exposures,
    mixing_variance,
    outcomes,
    power,
    preference,
    sample_ratio_p,
    team_draft,
    users_needed,
    watch,
)

USERS = np.arange(-1_000, 99_000)
HALVES = {"control": 0.5, "treatment": 0.5}


class TestSplitter:
    def test_every_user_is_in_one_variant_and_shares_hold(self):
        shares = {"control": 0.6, "a": 0.3, "b": 0.1}
        found = Splitter([Experiment(name="x", variants=shares)]).variants_of("x", USERS)
        counts = pd.Series(found).value_counts()
        assert counts.sum() == len(USERS)
        assert set(counts.index) == set(shares)
        assert sample_ratio_p(counts[list(shares)], list(shares.values())) > 0.001

    def test_the_same_user_gets_the_same_variant(self):
        splitter = Splitter([Experiment(name="x", variants=HALVES)])
        found = splitter.variants_of("x", USERS)
        assert (splitter.variants_of("x", USERS[::-1])[::-1] == found).all()
        assert splitter.variant("x", 7) == found[USERS == 7][0]

    def test_known_assignments_stay(self):
        """A change of the hash would deal the users of running experiments anew."""
        splitter = Splitter([Experiment(name="ranker", variants=HALVES)])
        assert [splitter.variant("ranker", user) for user in range(8)] == [
            "treatment",
            "treatment",
            "treatment",
            "control",
            "treatment",
            "control",
            "control",
            "control",
        ]

    def test_layers_are_independent(self):
        splitter = Splitter(
            [
                Experiment(name="recall", variants=HALVES, layer="recall"),
                Experiment(name="rank", variants={"a": 0.3, "b": 0.7}, layer="rank"),
            ]
        )
        table = pd.crosstab(
            splitter.variants_of("recall", USERS), splitter.variants_of("rank", USERS)
        )
        assert stats.chi2_contingency(table).pvalue > 0.001

    def test_experiments_of_one_layer_have_different_users(self):
        splitter = Splitter(
            [
                Experiment(name="x", variants=HALVES, traffic=(0.0, 0.2)),
                Experiment(name="y", variants=HALVES, traffic=(0.2, 0.5)),
            ]
        )
        in_x, in_y = (splitter.variants_of(name, USERS) != "" for name in "xy")
        assert not (in_x & in_y).any()
        assert in_x.mean() == pytest.approx(0.2, abs=0.005)
        assert in_y.mean() == pytest.approx(0.3, abs=0.005)

    def test_a_new_salt_deals_the_same_users_anew(self):
        old, new = (
            Splitter(
                [Experiment(name="x", variants=HALVES, traffic=(0.0, 0.5), salt=salt)]
            ).variants_of("x", USERS)
            for salt in ("1", "2")
        )
        assert ((old == "") == (new == "")).all()
        members = old != ""
        assert (old[members] == new[members]).mean() == pytest.approx(0.5, abs=0.01)

    @pytest.mark.parametrize(
        ("experiments", "message"),
        [
            ([{"variants": {"a": 0.5, "b": 0.4}}], "add up to 1"),
            ([{"variants": {"a": 1.0}}], "two variants or more"),
            ([{"variants": HALVES, "traffic": (0.5, 0.5)}], "from a number to a greater one"),
            ([{"variants": HALVES}] * 2, "share users of layer 'default'"),
        ],
    )
    def test_what_cannot_be_split_is_refused(self, experiments, message):
        with pytest.raises(RecsysError, match=message):
            Splitter([Experiment(name=str(n), **e) for n, e in enumerate(experiments)])

    def test_unknown_and_repeated_names(self):
        with pytest.raises(RecsysError, match="no experiment 'z'"):
            Splitter([Experiment(name="x", variants=HALVES)]).variant("z", 1)
        with pytest.raises(RecsysError, match="two experiments of the name 'x'"):
            Splitter([Experiment(name="x", variants=HALVES, layer=layer) for layer in "ab"])


@pytest.fixture
def log():
    rows = [(1, "a", 10), (1, "a", 5), (2, "b", 7), (3, "a", 1), (3, "b", 2), (4, "b", 9)]
    frame = pd.DataFrame(rows, columns=["user_id", "variant", "timestamp"])
    return frame.assign(experiment="x", request_id=[str(n) for n in range(len(rows))])


class TestExposures:
    def test_the_first_exposure_counts_and_crossed_users_do_not(self, log):
        exposed = first_exposures(log, "x")
        assert exposed.users.to_numpy().tolist() == [[1, "a", 5], [2, "b", 7], [4, "b", 9]]
        assert exposed.crossed.tolist() == [3]

    def test_outcomes_are_of_all_exposed_users_from_then_on(self, log):
        events = pd.DataFrame(
            {
                "user_id": [1, 1, 1, 2, 9, 3],
                "timestamp": [4, 5, 105, 8, 8, 8],
                "rating": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
            }
        )
        exposed = first_exposures(log, "x")
        assert outcomes(exposed, events).tolist() == [2.0, 1.0, 0.0]
        assert outcomes(exposed, events, "rating").tolist() == [6.0, 8.0, 0.0]
        assert outcomes(exposed, events, "rating", window_s=100).tolist() == [2.0, 8.0, 0.0]

    def test_a_log_without_the_experiment_is_refused(self, log):
        with pytest.raises(DataError, match="no row of experiment 'y'"):
            first_exposures(log, "y")
        with pytest.raises(DataError, match="lacks the columns request_id"):
            first_exposures(log.drop(columns="request_id"), "x")


class TestAnalysis:
    @pytest.fixture
    def groups(self):
        rng = np.random.default_rng(0)
        return rng.gamma(2, 2, 400), rng.gamma(2, 2, 300) + 0.3

    def test_it_is_welchs_test(self, groups):
        ours = compare(*groups)
        theirs = stats.ttest_ind(groups[1], groups[0], equal_var=False)
        assert ours.p_value == pytest.approx(theirs.pvalue)
        assert ours.difference[1:] == pytest.approx(theirs.confidence_interval())

    def test_the_interval_of_the_lift_covers(self):
        rng = np.random.default_rng(1)
        covered = [
            (lift := compare(rng.gamma(2, 2, 200), 1.1 * rng.gamma(2, 2, 200)).lift).low
            <= 0.1
            <= lift.high
            for _ in range(1_000)
        ]
        assert 0.93 <= np.mean(covered) <= 0.97

    def test_cuped_takes_out_the_square_of_the_correlation(self):
        rng = np.random.default_rng(2)
        before = rng.normal(size=(2, 20_000))
        after = 0.8 * before + 0.6 * rng.normal(size=(2, 20_000)) + [[0.0], [0.05]]
        result = compare(*after, control_before=before[0], treatment_before=before[1])
        assert result.variance_kept == pytest.approx(1 - 0.8**2, rel=0.03)
        assert result.difference.low < 0.05 < result.difference.high

    def test_cuped_is_as_sure_as_it_says(self):
        rng = np.random.default_rng(3)
        alarms = []
        for _ in range(1_500):
            before = rng.normal(size=(2, 60))
            after = before + rng.normal(size=(2, 60))
            alarms.append(
                compare(*after, control_before=before[0], treatment_before=before[1]).p_value < 0.05
            )
        assert 0.035 <= np.mean(alarms) <= 0.065

    def test_ratios_of_users_with_many_rows_are_not_too_sure(self):
        """Users differ in taste: rows as independent evidence would alarm far too often."""
        rng = np.random.default_rng(4)
        alarms, naive = [], []
        for _ in range(1_000):
            shown = rng.integers(1, 40, (2, 200))
            clicks = rng.binomial(shown, rng.beta(1, 4, (2, 200)))
            alarms.append(
                compare_ratios(clicks[0], shown[0], clicks[1], shown[1]).p_value < 0.05
            )  # fmt: skip
            table = [[c.sum(), (s - c).sum()] for c, s in zip(clicks, shown, strict=True)]
            naive.append(stats.chi2_contingency(table, correction=False).pvalue < 0.05)
        assert 0.035 <= np.mean(alarms) <= 0.065
        assert np.mean(naive) > 0.3

    def test_the_ratio_is_of_the_sums(self):
        result = compare_ratios([1, 0], [1, 9], [2, 2], [4, 4])
        assert (result.control, result.treatment) == (pytest.approx(0.1), pytest.approx(0.5))

    def test_power_as_in_the_books(self):
        # 16 times the variance by the square of the effect, a group (Lehr, 1992).
        assert users_needed(0.1, 1.0) == pytest.approx(2 * 1_570, abs=2)
        assert power(0.1, 1.0, users_needed(0.1, 1.0)) == pytest.approx(0.8, abs=0.001)
        assert power(0.0, 1.0, 100) == pytest.approx(0.05)

    def test_power_in_simulation(self):
        rng = np.random.default_rng(5)
        noticed = [
            compare(rng.normal(size=300), rng.normal(0.25, size=100)).p_value < 0.05
            for _ in range(1_000)
        ]
        assert np.mean(noticed) == pytest.approx(power(0.25, 1.0, 400, share=0.25), abs=0.04)

    def test_missing_users_are_noticed(self):
        assert sample_ratio_p([5_000, 5_050], [1, 1]) > 0.5
        assert sample_ratio_p([5_000, 5_400], [1, 1]) < SAMPLE_RATIO_ALARM

    def test_what_cannot_be_compared_is_refused(self):
        with pytest.raises(RecsysError, match="control group needs one finite figure"):
            compare([1.0, np.nan], [1.0, 2.0])
        with pytest.raises(RecsysError, match="nothing to test"):
            compare([1.0, 1.0], [2.0, 2.0])
        with pytest.raises(RecsysError, match="of both groups"):
            compare([1.0, 2.0], [1.0, 2.0], control_before=[1, 2])
        with pytest.raises(RecsysError, match="effect must differ from 0"):
            users_needed(0.0, 1.0)


class TestSequential:
    def test_alarms_of_two_thousand_tests_of_nothing(self):
        alarms = false_alarms(2_000, users=1_000).set_index("test")
        assert 0.04 <= alarms["alarms"]["at the end"] <= 0.06
        # Ten looks at a normal test: 19.3 % (Armitage, McPherson and Rowe, 1969).
        assert alarms["alarms"]["peeking"] == pytest.approx(0.193, abs=0.025)
        assert alarms["alarms"]["sequential"] <= 0.05

    def test_a_planted_effect_is_found(self):
        alarms = false_alarms(200, users=1_000, effect=0.5).set_index("test")
        assert (alarms["alarms"] > 0.9).all()

    def test_intervals_and_p_values_agree(self):
        rng = np.random.default_rng(6)
        difference = rng.normal(size=200) / 3
        variance = np.geomspace(0.5, 0.005, 200)
        low, high, p_value = always_valid(difference, variance, mixing_variance(0.005))
        outside = (low > 0) | (high < 0)
        assert (np.maximum.accumulate(outside) == (p_value < 0.05)).all()

    def test_users_who_are_all_alike_say_nothing(self):
        low, high, p_value = always_valid([1.0, 1.0], [0.0, 0.1], 0.1)
        assert (low[0], high[0], p_value[0]) == (-np.inf, np.inf, 1.0)
        assert p_value[1] < 1.0

    def test_the_mixing_variance_is_the_best_at_the_planned_end(self):
        def width(mixing):
            low, high, _ = always_valid([0.0], [1.0], mixing)
            return (high - low)[0]

        best = min(np.linspace(2, 20, 1_801), key=width)
        assert width(mixing_variance(1.0)) == pytest.approx(width(best), rel=0.001)

    def test_watching_ends_at_the_plain_difference(self):
        rng = np.random.default_rng(7)
        control, treatment = rng.normal(size=500), rng.normal(0.5, size=500)
        table = watch(control, treatment, [50, 200, 500], planned_users=500, sd=1.0)
        plain = compare(control, treatment).difference
        assert table["difference"].iloc[-1] == pytest.approx(plain.mean)
        widths = table["high"] - table["low"]
        assert widths.is_monotonic_decreasing
        assert widths.iloc[-1] > plain.high - plain.low
        with pytest.raises(RecsysError, match="Looks at 50 to 600"):
            watch(control, treatment, [50, 600], planned_users=600, sd=1.0)


class TestInterleaving:
    def test_each_takes_its_best_that_is_left(self):
        rng = np.random.default_rng(0)
        seen = {team_draft([1, 2, 3], [2, 4, 5], 4, rng) for _ in range(200)}
        assert {made.item_ids for made in seen} <= {
            (1, 2, 3, 4), (1, 2, 4, 3), (2, 1, 3, 4), (2, 1, 4, 3),
        }  # fmt: skip
        for made in seen:
            assert made.teams.count(0) == made.teams.count(1) == 2
        assert len(seen) == 4  # who goes first in round one, and in round two

    def test_a_list_that_runs_out(self):
        made = team_draft([1, 2], [2], 5, np.random.default_rng(0))
        assert sorted(made.item_ids) == [1, 2]
        assert team_draft([], [], 3, np.random.default_rng(0)).item_ids == ()

    def test_credit(self):
        rng = np.random.default_rng(1)
        made = team_draft([1, 2], [3, 4], 4, rng)
        assert made.credit({1, 2, 4, 9}) == (2, 1)

    def test_the_same_ranker_twice_is_not_preferred(self):
        rng = np.random.default_rng(2)
        p_values = []
        for _ in range(150):
            votes = [
                team_draft(range(20), range(20), 10, rng).credit(
                    set(rng.choice(20, 4, replace=False).tolist())
                )
                for _ in range(60)
            ]
            p_values.append(preference(*np.transpose(votes))[1])
        assert np.mean(np.array(p_values) < 0.05) <= 0.08

    def test_the_better_ranker_is_preferred(self):
        rng = np.random.default_rng(3)
        votes = [
            team_draft(range(20), range(19, -1, -1), 10, rng).credit({0, 1, 2}) for _ in range(100)
        ]
        interval, p_value = preference(*np.transpose(votes))
        assert interval.high < 0
        assert p_value < 0.001

    def test_nobody_decided(self):
        assert preference([1, 2], [1, 2])[1] == 1.0

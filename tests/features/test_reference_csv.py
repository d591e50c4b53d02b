"""The reference system's CSV layout: exact to the byte, and back into what our models train on."""

import pandas as pd
import pytest

from recsys_lib.errors import DataError
from recsys_lib.features import build_samples
from recsys_lib.features.reference_csv import export_csv, import_csv
from recsys_lib.features.reference_layout import LAYOUT
from recsys_lib.features.registry import names

# The header of trainingSamples.csv of SparrowRecSys, and two lines in its form.
HEADER = (
    "movieId,userId,rating,timestamp,label,releaseYear,movieGenre1,movieGenre2,movieGenre3,"
    "movieRatingCount,movieAvgRating,movieRatingStddev,userRatedMovie1,userRatedMovie2,"
    "userRatedMovie3,userRatedMovie4,userRatedMovie5,userRatingCount,userAvgReleaseYear,"
    "userReleaseYearStddev,userAvgRating,userRatingStddev,userGenre1,userGenre2,userGenre3,"
    "userGenre4,userGenre5"
)
FULL = (
    '7,3,4.5,845674484,1,1995,Action,Adventure,"",6330,3.40,0.87,318,480,231,595,"",22,1993,1.70,'
    '3.36,1.14,Comedy,Thriller,"",Crime,"Film, Noir"'
)
SPARSE = '8,4,3.0,845674485,0,"","","","",0,"","","","","","","",0,"","","","","","","","",""'

# A mean of a thousand and more has no separators, and quotes within a name are doubled.
ODD = (
    '9,5,3.0,845674486,0,1995,"say ""hi"", twice","","",1,1234.50,"","","","","","",0,"","","","",'
    '"","","","",""'
)


@pytest.fixture(scope="module")
def exported(ml_100k, tmp_path_factory):
    """MovieLens 100K, exported by the embedded engine."""
    folder = tmp_path_factory.mktemp("csv")
    build_samples(ml_100k.path, folder / "samples")
    file = folder / "csv" / "trainingSamples.csv"
    assert export_csv(folder / "samples", file) == 100_000
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    return file


def both_ways(engine, tmp_path, lines: list[str]):
    (tmp_path / "in.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    report = import_csv(tmp_path / "in.csv", tmp_path / "samples", spark=engine)
    return report, pd.read_parquet(tmp_path / "samples" / "samples")


def test_the_layout_has_all_columns_of_the_reference():
    assert ",".join(theirs for theirs, _ in LAYOUT.values()) == HEADER
    assert len(LAYOUT) == 27


def test_lines_pass_both_ways_byte_for_byte(engine, tmp_path):
    report, samples = both_ways(engine, tmp_path, [FULL, SPARSE, ODD])
    assert report["rows"] == {"read": 3, "written": 3, "rejected": 0}
    row = samples.iloc[0]
    assert (row.item_id, row.user_id, row.rating, row.label) == (7, 3, 4.5, 1)
    assert row.user_genre_5 == "Film, Noir"
    assert row.item_rating_mean == pytest.approx(3.4)
    assert samples.iloc[1].isna().sum() == 20  # all but keys, rating, time, label and counts
    export_csv(tmp_path / "samples", tmp_path / "out.csv", engine)
    assert (tmp_path / "out.csv").read_text().splitlines() == [HEADER, FULL, SPARSE, ODD]


def test_means_are_rounded_from_what_they_are_to_the_even_cent(engine, tmp_path):
    """3.125 lies in the middle; 2.675 and 0.045 are a little less and more in single precision."""
    given = {"3.125": "3.12", "3.375": "3.38", "2.675": "2.67", "0.045": "0.05", "4": "4.00"}
    lines = [
        FULL.replace("3.40", mean).replace("7,3,", f"7,{k},", 1) for k, mean in enumerate(given)
    ]
    both_ways(engine, tmp_path, lines)
    export_csv(tmp_path / "samples", tmp_path / "out.csv", engine)
    theirs = pd.read_csv(tmp_path / "out.csv", dtype=str).sort_values("userId")
    assert theirs.movieAvgRating.tolist() == list(given.values())


@pytest.mark.spark
def test_spark_exports_the_same_lines(spark, exported, tmp_path):
    export_csv(exported.parent.parent / "samples", tmp_path / "theirs.csv", spark)
    ours, theirs = (file.read_text().splitlines() for file in (exported, tmp_path / "theirs.csv"))
    assert ours[0] == theirs[0] == HEADER
    assert sorted(ours) == sorted(theirs)


def test_the_export_is_what_the_samples_say(exported, job_of_movielens):
    samples = pd.read_parquet(job_of_movielens / "samples").set_index(["user_id", "item_id"])
    theirs = pd.read_csv(exported, dtype=str, keep_default_na=False)
    ours = samples.loc[pd.MultiIndex.from_frame(theirs[["userId", "movieId"]].astype(int))]
    for name, column, pattern in (
        ("item_rating_mean", "movieAvgRating", r"\d\.\d\d"),
        ("user_release_year_mean", "userAvgReleaseYear", r"\d{4}"),
        ("user_liked_item_2", "userRatedMovie2", r"\d+"),
        ("user_genre_1", "userGenre1", r"\S.*"),
    ):
        filled = theirs[column] != ""
        assert (filled.to_numpy() == ours[name].notna().to_numpy()).all()
        assert theirs[column][filled].str.fullmatch(pattern).all()
    wanted = ours["item_rating_mean"].to_numpy("float64")
    found = pd.to_numeric(theirs["movieAvgRating"], errors="coerce").to_numpy()
    known = ~pd.isna(found)
    assert abs(found - wanted)[known].max() <= 0.005 + 1e-6
    assert theirs.rating.isin([f"{stars}.0" for stars in range(1, 6)]).all()


@pytest.mark.slow
def test_the_reference_systems_reader_reads_it(exported):
    """Its models read with make_csv_dataset, which infers types and takes empty for 0."""
    from recsys_lib.keras_backend import load_keras

    load_keras()
    import tensorflow as tf

    batches = tf.data.experimental.make_csv_dataset(
        str(exported), batch_size=1_000, label_name="label", na_value="0", num_epochs=1,
        shuffle=False,
    )  # fmt: skip
    n_rows = 0
    for columns, labels in batches:
        n_rows += len(labels)
        assert columns["userRatedMovie5"].dtype == columns["movieRatingCount"].dtype == tf.int32
        assert columns["movieAvgRating"].dtype == columns["userRatingStddev"].dtype == tf.float32
    assert n_rows == 100_000


@pytest.mark.slow
def test_imported_samples_train_our_model(exported, tmp_path):
    from recsys_lib.ranking import RankingConfig, TrainingConfig, train_model

    report = import_csv(exported, tmp_path / "theirs")
    assert report["rows"] == {"read": 100_000, "written": 100_000, "rejected": 0}
    assert set(report["columns"]) == set(names()) & set(LAYOUT)
    samples = pd.read_parquet(tmp_path / "theirs" / "samples").sort_values("timestamp")
    config = RankingConfig(training=TrainingConfig(epochs=2))
    log = train_model("embedding_mlp", samples[:80_000], samples[80_000:], config).log
    assert max(log.validation_auc) > 0.65  # .74 with full training; a coin gives .5


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("7,3,", "7,,"), ("845674484", "yesterday"), (",1,1995", ",2,1995"), ("4.5", ""),
        ("3.40", "1,000.5"), ("6330", "many"), ("22,1993", "22,19 93"),
    ],
)  # fmt: skip
def test_lines_that_do_not_fit_are_set_aside(engine, tmp_path, wrong, right):
    broken = FULL.replace(wrong, right, 1)
    report, samples = both_ways(engine, tmp_path, [broken, SPARSE, "1,2,3"])
    assert report["rejected"] == {"malformed": 2}
    assert samples.item_id.tolist() == [8]
    assert len(pd.read_parquet(tmp_path / "samples" / "quarantine")) == 2


def test_another_layout_is_refused(tmp_path):
    (tmp_path / "in.csv").write_text(HEADER.replace("userId", "user") + "\n")
    with pytest.raises(DataError, match="'user' for 'userId'"):
        import_csv(tmp_path / "in.csv", tmp_path / "out")
    with pytest.raises(DataError, match="There is no CSV file"):
        import_csv(tmp_path / "none.csv", tmp_path / "out")
    with pytest.raises(DataError, match="is no folder of samples"):
        export_csv(tmp_path, tmp_path / "out.csv")

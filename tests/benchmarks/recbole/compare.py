"""Our ranking models on the rows that ``run_recbole.py split OUT`` wrote, beside RecBole's.

    python tests/benchmarks/recbole/compare.py OUT [MODEL ...]

The seven fields are RecBole's: user, item, age, gender, occupation, release year, genres; each is a
category, genres a list. A small grid is searched on validation AUC with one seed; the best setting
is trained from three, and the test rows are scored once. Writes ``OUT/ours.json`` and prints both
tables where ``OUT/recbole.json`` is there too. RecBole's figures are those of one thread; so are
ours with ``TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1`` in the environment.
"""

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lib import files
from recsys_lib.evaluation import auc
from recsys_lib.ranking import RankingConfig, TrainingConfig, train_model

THEIRS = {
    "logistic_regression": "LR",
    "fm": "FM",
    "fnn": "FNN",
    "wide_deep": "WideDeep",
    "deepfm": "DeepFM",
    "dcn_v2": "DCNV2",
}
COLUMNS = {"age": "user_age", "gender": "user_gender", "occupation": "user_occupation"}
CONFIG = RankingConfig(
    categories=("item_id", "user_id", *COLUMNS.values(), "release_year"),
    numbers=(),
    bags=("genres",),
    embedding_dim=16,
    hidden=(256, 256, 256),
    id_dropout=0.0,
    embedding_l2=0.0,
    dropout=0.3,
    training=TrainingConfig(batch_size=1_024, epochs=60, patience=3),
)
# Linear models: rate and penalty; networks: rate and dropout of their input.
LINEAR = ("logistic_regression", "fm")
RATES, PENALTIES, DROPOUTS = (0.003, 0.005), (1e-3, 1e-2), (0.3, 0.4)
SEEDS = (2020, 2021, 2022)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("models", nargs="*", default=list(THEIRS))
    asked = parser.parse_args()
    train, validation, test = (
        pd.read_parquet(asked.out / f"{part}.parquet").rename(columns=COLUMNS)
        for part in ("train", "validation", "test")
    )
    path = asked.out / "ours.json"
    found = files.read_json(path) if path.exists() else {}
    for kind in asked.models:
        found[kind] = measured(kind, train, validation, test)
        files.write_json(path, found)
    print(table(found, asked.out / "recbole.json").round(4).to_string())


def measured(kind: str, train, validation, test) -> dict:
    """Search the grid on validation rows, then train the best setting from each seed."""
    name, values = ("embedding_l2", PENALTIES) if kind in LINEAR else ("input_dropout", DROPOUTS)
    tried = []
    for rate, value in itertools.product(RATES, values):
        training = replace(CONFIG.training, learning_rate=rate)
        config = replace(CONFIG, training=training, **{name: value})
        log = train_model(kind, train, validation, config, SEEDS[0]).log
        tried.append((max(log.validation_auc), config))
        print(kind, rate, name, value, round(tried[-1][0], 4), log.best_epoch, flush=True)
    _, best = max(tried, key=lambda each: each[0])
    models = [train_model(kind, train, validation, best, seed) for seed in SEEDS]
    logs = [model.log for model in models]
    return {
        "learning_rate": best.training.learning_rate,
        "input_dropout": best.input_dropout,
        "embedding_l2": best.embedding_l2,
        "validation_auc": [max(log.validation_auc) for log in logs],
        "test_auc": [auc(test["label"], model.predict(test)) for model in models],
        "train_seconds": [log.total_seconds for log in logs],
        "epochs": [len(log.seconds) for log in logs],
    }


def table(ours: dict, their_file: Path) -> pd.DataFrame:
    """Return test AUC and seconds of both, means over seeds, and our lead."""
    rows = {
        kind: {"ours": np.mean(each["test_auc"]), "our seconds": np.mean(each["train_seconds"])}
        for kind, each in ours.items()
    }
    if their_file.exists():
        runs = pd.DataFrame(files.read_json(their_file)["runs"])
        # Of settings that were measured in turn, the one with the best validation AUC.
        runs = runs.assign(settings=runs["settings"].map(str)).groupby(["model", "settings"])
        runs = runs.mean(numeric_only=True).sort_values("validation_auc").groupby("model").last()
        for kind, row in rows.items():
            if THEIRS[kind] in runs.index:
                run = runs.loc[THEIRS[kind]]
                row |= {"RecBole": run["test_auc"], "seconds": run["train_seconds"]}
                row["lead"] = row["ours"] - row["RecBole"]
    return pd.DataFrame.from_dict(rows, orient="index")


if __name__ == "__main__":
    main()

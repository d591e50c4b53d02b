"""RecBole's own click-prediction models on MovieLens 100K: the peer of this library's rankers.

RecBole pins old packages, so it runs in an environment of its own, outside CI:

    python3.11 -m venv recbole-env
    recbole-env/bin/pip install -r tests/benchmarks/recbole/requirements.txt
    recbole-env/bin/python tests/benchmarks/recbole/run_recbole.py split OUT
    recbole-env/bin/python tests/benchmarks/recbole/run_recbole.py search OUT [MODEL ...]
    recbole-env/bin/python tests/benchmarks/recbole/run_recbole.py measure OUT [MODEL ...]

``split`` lets RecBole read the MovieLens 100K its wheel ships and split it by its published
protocol of click prediction (rating 3 dropped, 4 and 5 are clicks, random 8:1:1, seed 2020), and
writes ``OUT/{train,validation,test}.parquet``, raw ids and features, for others to train on.
``search`` trains small grids around RecBole's published settings and writes
``OUT/search.json``; the test rows are not looked at. ``measure`` trains the setting of the best
validation AUC from each seed, scores the test rows once, and writes ``OUT/recbole.json``. Both go
on where they stopped.

DIN and DIEN read a history that the rows carry (`history`): the films the user liked in training
rows strictly before the row, the latest 50, oldest first. RecBole's own augmentation would make
other rows, and its histories do not tell a liked film from a disliked one.

Protocol and grids: RUCAIBox/RecBole on GitHub, ``benchmark/md/ml-1m_context.md`` and
``benchmark/hyper/context/<model>-ml-1m.md`` (``DCNV2-ml-1m_context.md``).
"""

import argparse
import contextlib
import copy
import itertools
import json
import logging
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.trainer import Trainer
from recbole.utils import get_model, init_seed

PARTS = ("train", "validation", "test")
SPLIT_SEED = 2020  # RecBole's default
HISTORY_LENGTH = 50  # RecBole's default
NO_FILM = "none"  # stands for an empty history: RecBole's DIEN can't take one

FEATURES = {
    "user": ["user_id", "age", "gender", "occupation"],
    "item": ["item_id", "release_year", "class"],
}
PROTOCOL = {
    "embedding_size": 16,
    "epochs": 500,
    "train_batch_size": 4096,
    "eval_batch_size": 40960000,
    "eval_args": {"split": {"RS": [0.8, 0.1, 0.1]}, "group_by": None, "mode": "labeled"},
    "train_neg_sample_args": None,
    "metrics": ["AUC", "LogLoss"],
    "valid_metric": "AUC",
    "use_gpu": False,
}

# Around the best setting RecBole publishes for MovieLens 1M, out of the values of its grids; larger
# learning rates are added for the linear models: an epoch has a twelfth of the steps here.
GRIDS = {
    "LR": {"learning_rate": [5e-3, 1e-2, 2e-2]},
    "FM": {"learning_rate": [5e-3, 1e-2, 2e-2]},
    "FNN": {
        "learning_rate": [1e-3, 3e-3, 5e-3],
        "dropout_prob": [0.0, 0.1],
        "mlp_hidden_size": [[128, 256, 128]],
    },
    "WideDeep": {
        "learning_rate": [1e-3, 5e-3, 1e-2],
        "dropout_prob": [0.0, 0.2],
        "mlp_hidden_size": [[256, 256, 256]],
    },
    "DeepFM": {
        "learning_rate": [1e-3, 5e-3, 1e-2],
        "dropout_prob": [0.0, 0.1],
        "mlp_hidden_size": [[256, 256, 256]],
    },
    "DCNV2": {
        "learning_rate": [1e-3, 5e-3],
        "dropout_prob": [0.1, 0.2],
        "mlp_hidden_size": [[256, 256]],
        "cross_layer_num": [2],
        "reg_weight": [1],
    },
    "DIN": {
        "learning_rate": [1e-3, 5e-3, 1e-2],
        "dropout_prob": [0.0],
        "mlp_hidden_size": [[64, 64, 64]],
        "pooling_mode": ["mean"],
    },
    "DIEN": {
        "learning_rate": [1e-3],
        "dropout_prob": [0.0, 0.1],
        "mlp_hidden_size": [[128, 128, 128]],
    },
}
SEQUENTIAL = ("DIN", "DIEN")


class InMemoryTrainer(Trainer):
    """RecBole's trainer; it times the training alone and keeps its best weights without a file."""

    train_seconds = 0.0
    n_epochs = 0
    best_weights: dict

    def _train_epoch(self, *args, **kwargs):
        start = time.perf_counter()
        loss = super()._train_epoch(*args, **kwargs)
        self.train_seconds += time.perf_counter() - start
        self.n_epochs += 1
        return loss

    def _save_checkpoint(self, epoch, **_):
        self.best_weights = copy.deepcopy(self.model.state_dict())


def atomic_file(path: Path) -> pd.DataFrame:
    """Return one of RecBole's files as text, the types cut from the column names."""
    frame = pd.read_csv(path, sep="\t", dtype=str)
    return frame.rename(columns=lambda name: name.split(":")[0])


def recbole_split() -> tuple[list[pd.DataFrame], Path]:
    """Return RecBole's own three parts (user_id, item_id, label), and the folder it read from."""
    settings = PROTOCOL | {
        "seed": SPLIT_SEED,
        "load_col": {"inter": ["user_id", "item_id", "rating"]},
        "threshold": {"rating": 4},
        "val_interval": {"rating": "[0,3);(3,inf)"},
    }
    config = Config(model="LR", dataset="ml-100k", config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    parts = []
    for part in dataset.build():
        ids = {
            field: dataset.id2token(field, part.inter_feat[field])
            for field in ("user_id", "item_id")
        }
        parts.append(pd.DataFrame(ids).assign(label=part.inter_feat["label"].numpy().astype(int)))
    return parts, Path(config["data_path"])


def with_histories(rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` (of all parts) with what the user liked in training rows strictly before."""
    liked = rows[(rows["part"] == "train") & (rows["label"] == 1)].sort_values(
        ["timestamp", "item_id"]
    )
    by_user = {
        user: (films["timestamp"].to_numpy(), films["item_id"].to_numpy())
        for user, films in liked.groupby("user_id")
    }
    nothing = (np.array([], int), np.array([], int))
    histories = []
    for user, now in zip(rows["user_id"], rows["timestamp"], strict=True):
        times, films = by_user.get(user, nothing)
        before = np.searchsorted(times, now)  # ties are not before
        histories.append(films[max(0, before - HISTORY_LENGTH) : before].tolist())
    return rows.assign(history=histories)


def split(out: Path) -> None:
    """Write the split as Parquet, and as files RecBole trains on (``OUT/ml``)."""
    parts, source = recbole_split()
    rows = pd.concat(dict(zip(PARTS, parts, strict=True)), names=["part"])
    rows = rows.reset_index("part").reset_index(drop=True)
    rows = rows.merge(atomic_file(source / "ml-100k.inter"), how="left", validate="1:1")
    rows = rows.merge(atomic_file(source / "ml-100k.user"), how="left")
    rows = rows.merge(atomic_file(source / "ml-100k.item"), how="left")
    numbers = ["user_id", "item_id", "rating", "timestamp", "age"]  # not the year: one is "V"
    rows = rows.astype(dict.fromkeys(numbers, "int64"))
    rows["genres"] = rows.pop("class").str.split(" ")
    rows = with_histories(rows)
    for name in PARTS:
        part = rows[rows["part"] == name].drop(columns=["part", "movie_title"])
        part.to_parquet(out / f"{name}.parquet", index=False)
        print(f"{name:<10} {len(part):>6} rows, {part['label'].mean():.4f} clicks")
    write_atomic_files(rows, source, out / "ml")


def write_atomic_files(rows: pd.DataFrame, source: Path, folder: Path) -> None:
    """Write the rows, with their histories and a random film beside each of their films."""
    folder.mkdir(exist_ok=True)
    for kind in ("user", "item"):
        (folder / f"ml.{kind}").write_bytes((source / f"ml-100k.{kind}").read_bytes())
    films = np.sort(rows["item_id"].unique())
    generator = np.random.default_rng(SPLIT_SEED)

    def others(history: list[int]) -> np.ndarray:
        # DIEN's auxiliary loss wants a film that was not next; any of the other films, evenly
        place = np.searchsorted(films, history)
        return films[(place + generator.integers(1, len(films), len(history))) % len(films)]

    def text(history: list[int]) -> str:
        return " ".join(map(str, history)) or NO_FILM

    columns = {
        "user_id:token": rows["user_id"],
        "item_id:token": rows["item_id"],
        "label:float": rows["label"],
        "item_id_list:token_seq": rows["history"].map(text),
        "neg_item_id_list:token_seq": rows["history"].map(lambda history: text(others(history))),
    }
    for name in PARTS:
        part = pd.DataFrame(columns)[rows["part"] == name]
        part.to_csv(folder / f"ml.{name}.inter", sep="\t", index=False)


def trained(
    model: str, settings: dict, seed: int, out: Path
) -> tuple[dict, InMemoryTrainer, object]:
    """Return the figures of one training run, its trainer, and the loader of the test rows."""
    lists = ["item_id_list", "neg_item_id_list"] if model in SEQUENTIAL else []
    order = "TO" if model in SEQUENTIAL else "RO"  # of no effect on a split that is given
    given = {
        "seed": seed,
        "data_path": str(out),
        "benchmark_filename": list(PARTS),
        "load_col": {"inter": ["user_id", "item_id", "label", *lists]} | FEATURES,
        "alias_of_item_id": lists,
        "MAX_ITEM_LIST_LENGTH": HISTORY_LENGTH,
        "eval_args": PROTOCOL["eval_args"] | {"order": order},
    }
    config = Config(model=model, dataset="ml", config_dict=PROTOCOL | given | settings)
    init_seed(seed, config["reproducibility"])
    train, validation, test = data_preparation(config, create_dataset(config))
    init_seed(seed, config["reproducibility"])
    network = get_model(model)(config, train.dataset)
    trainer = InMemoryTrainer(config, network)
    best, _ = trainer.fit(train, validation, verbose=False)
    figures = {
        "model": model,
        "seed": seed,
        "settings": settings,
        "validation_auc": best,
        "epochs": trainer.n_epochs,
        "best_epoch": trainer.n_epochs - trainer.cur_step,
        "train_seconds": round(trainer.train_seconds, 3),
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "threads": torch.get_num_threads(),
    }
    return figures, trainer, test


def settings_of(model: str) -> list[dict]:
    """Return every setting of the model's grid."""
    grid = GRIDS[model]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def read(path: Path) -> list[dict]:
    return json.loads(path.read_text())["runs"] if path.exists() else []


def write(path: Path, runs: list[dict]) -> None:
    names = ("recbole", "torch", "numpy", "pandas")
    versions = {name: version(name) for name in names} | {"python": sys.version.split()[0]}
    content = {"versions": versions, "protocol": PROTOCOL, "runs": runs}
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=1))
    draft.replace(path)


def search(out: Path, models: list[str]) -> None:
    """Add to ``OUT/search.json`` the validation AUC of every setting that is not there yet."""
    path = out / "search.json"
    for model in models:
        for settings in settings_of(model):
            runs = read(path)
            if any(run["model"] == model and run["settings"] == settings for run in runs):
                continue
            figures, _, _ = trained(model, settings, SPLIT_SEED, out)
            print(figures, flush=True)
            write(path, [*read(path), figures])


def measure(out: Path, models: list[str], n_seeds: int) -> None:
    """Add to ``OUT/recbole.json`` what is not there yet of each model's best setting and seeds."""
    path = out / "recbole.json"
    for model in models:
        tried = [run for run in read(out / "search.json") if run["model"] == model]
        if not tried:
            raise SystemExit(f"no setting of {model} was tried: run search {out} {model} first")
        settings = max(tried, key=lambda run: run["validation_auc"])["settings"]
        for seed in range(SPLIT_SEED, SPLIT_SEED + n_seeds):
            key = (model, seed, settings)
            if any((run["model"], run["seed"], run["settings"]) == key for run in read(path)):
                continue
            figures, trainer, test = trained(model, settings, seed, out)
            trainer.model.load_state_dict(trainer.best_weights)
            result = trainer.evaluate(test, load_best_model=False)
            figures |= {"test_auc": result["auc"], "test_log_loss": result["logloss"]}
            print(figures, flush=True)
            write(path, [*read(path), figures])


def main() -> None:
    """Split, search or measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=["split", "search", "measure"])
    parser.add_argument("out", type=Path, help="folder of the split and of the figures")
    parser.add_argument("models", nargs="*", help=f"of {', '.join(GRIDS)} (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="training seeds of measure")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    args = parser.parse_args()
    if unknown := set(args.models) - set(GRIDS):
        parser.error(f"unknown models {sorted(unknown)}; there are {', '.join(GRIDS)}")
    sys.argv = sys.argv[:1]  # RecBole reads the command line, too
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # of what pandas 3 and torch 3 will no longer allow RecBole
    torch.set_num_threads(args.threads)
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    models = args.models or list(GRIDS)
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):  # RecBole logs there
        if args.step == "split":
            split(out)
        elif args.step == "search":
            search(out, models)
        else:
            measure(out, models, args.seeds)


if __name__ == "__main__":
    main()

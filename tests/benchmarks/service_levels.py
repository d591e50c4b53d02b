"""What each level of the service is worth: nDCG@10 on the users' hidden last likes.

    python tests/benchmarks/service_levels.py [--users 300]

The service is the real one, with the models of the newest run, and is asked for every user at
every level; where a level does not suit a user, the one below answers, as in service. It knows the
interactions before the test part alone.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from recsys_lib.data import Dataset, ensure
from recsys_lib.data.splits import last_likes
from recsys_lib.evaluation.protocol import evaluate_lists, held_out_likes
from recsys_lib.experiments.served import find_served
from recsys_lib.rankers import UserFeatureTable
from recsys_lib.schema import ITEM
from recsys_lib.seeding import generator
from recsys_lib.serving.service import LEVELS, Asked, Journal, Service, Settings

OFF = {
    "full": "",
    "light": "ranking",
    "stored": "recall",
    "segment": "recall stored",
    "popular": "recall stored segment",
}
PATIENT = Settings(deadline_s=60, recall_budget_s=20, ranking_budget_s=20)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dataset", default="ml-100k")
    options.add_argument("--users", type=int, default=300, help="how many, drawn at random")
    given = options.parse_args()
    data = ensure(given.dataset)
    train, test = last_likes(data.interactions).train_test()
    earlier = Dataset(data.name, data.path)
    vars(earlier)["interactions"] = train  # in the place of what it would read
    relevant = held_out_likes(train, test)
    drawn = generator(42, "users of the levels").permutation(len(relevant.user_ids))[: given.users]
    relevant = relevant.of(relevant.user_ids[np.sort(drawn)])
    found = find_served(data, None, print)
    if found.users is not None:  # a table in memory answers as Redis does
        found = find_served(data, UserFeatureTable(found.users))
    with tempfile.TemporaryDirectory() as folder:
        service = Service(
            earlier, found.parts, Journal(Path(folder) / "events.jsonl"), settings=PATIENT
        )
        service.prepare()
        results = {level: lists_of(service, relevant.user_ids, level) for level in LEVELS}
        service.close()
    n_items = train[ITEM].nunique()
    results = {n: evaluate_lists(lists, relevant, n_items, (10,)) for n, lists in results.items()}
    print(f"nDCG@10 on the last likes of {len(relevant.user_ids)} users, 95 % intervals")
    for level, result in results.items():
        value = result.interval("ndcg_at_10")
        below = result.difference(results["full"], "ndcg_at_10")
        print(
            f"{level:8} {value.mean:.4f} [{value.low:.4f}, {value.high:.4f}]   "
            f"less full: {below.mean:+.4f} [{below.low:+.4f}, {below.high:+.4f}]"
        )


def lists_of(service: Service, users: np.ndarray, level: str) -> np.ndarray:
    """Return the first ten items of each user at a level: int64, (n_users, 10)."""
    lists = np.full((len(users), 10), -1, np.int64)
    for row, user in enumerate(users.tolist()):
        off = frozenset(OFF[level].split()) | {"cache"}
        answer = service.recommend(Asked(user=str(user), off=off))
        assert level in (answer["level"], *answer["unsuited"]), answer
        items = [service.catalogue.code_of(item["item_id"]) for item in answer["items"]]
        lists[row, : len(items)] = items
    return lists


if __name__ == "__main__":
    main()

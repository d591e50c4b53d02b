"""Every ranking metric against trec_eval, the program of the field, on random cases."""

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from recsys_lib.evaluation import ranking_metrics, relevant_items

K = 10
# Ours -> trec_eval's name at a cut of K.
SAME = {
    f"ndcg_at_{K}": f"ndcg_cut_{K}",
    f"recall_at_{K}": f"recall_{K}",
    f"precision_at_{K}": f"P_{K}",
    f"hit_rate_at_{K}": f"success_{K}",
    f"map_at_{K}": f"map_cut_{K}",
    f"mrr_at_{K}": "recip_rank",
}


@pytest.mark.parametrize("seed", range(5))
def test_equal_to_trec_eval(seed):
    rng = np.random.default_rng(seed)
    n_users, n_items = 40, 60
    likes = rng.random((n_users, n_items)) < rng.choice([0.02, 0.1, 0.4], (n_users, 1))
    likes[:, 0] |= ~likes.any(axis=1)
    lists = np.argsort(rng.random((n_users, n_items)), axis=1)[:, :K]
    lists[:5, 3:] = -1  # short lists
    lists[5] = -1  # an empty one

    user, item = np.nonzero(likes)
    liked = relevant_items(pd.DataFrame({"user_id": user, "item_id": item, "rating": 5.0}))
    ours = ranking_metrics(lists, liked, ks=(K,))

    relevant = {str(u): {str(i): 1 for i in np.flatnonzero(likes[u])} for u in range(n_users)}
    run = {
        # An item nobody likes keeps trec_eval from leaving out the user with an empty list.
        str(u): {str(i): float(K - at) for at, i in enumerate(lists[u]) if i >= 0} or {"none": 1.0}
        for u in range(n_users)
    }
    measures = {"ndcg_cut", "recall", "P", "success", "map_cut", "recip_rank"}
    theirs = pytrec_eval.RelevanceEvaluator(relevant, measures).evaluate(run)
    for name, measure in SAME.items():
        expected = np.array([theirs[str(u)][measure] for u in range(n_users)])
        if name.startswith("map"):
            # trec_eval divides by all liked items, we by those a list of K has room for.
            n_liked = likes.sum(axis=1)
            expected *= n_liked / np.minimum(n_liked, K)
        np.testing.assert_allclose(ours[name], expected, atol=1e-5, err_msg=name)

"""The trial finds torn answers where there are some."""

from recsys_lib.course.store_trials import publish_under_load
from recsys_lib.stores import RedisServer


def test_the_obvious_store_tears_and_the_librarys_does_not():
    with RedisServer() as server:
        torn = publish_under_load(str(server.socket_), "pointer", n_publishes=100, n_readers=2)
        whole = publish_under_load(str(server.socket_), "renamed", n_publishes=50, n_readers=2)
    assert torn["mixed"] + torn["with_nothing"] > 0
    assert (whole["mixed"], whole["with_nothing"]) == (0, 0)
    assert min(torn["reads"], whole["reads"]) > 10

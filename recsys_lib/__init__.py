"""The library behind the executable course on industrial deep-learning recommenders.

Importing it loads nothing heavy: Spark, TensorFlow and gensim are imported by the modules that
are about them. The packages, from the ground up:

``errors paths files seeding schema java quiet``
    the ground: where things lie, safe writing, random generators, column names
``data``
    data sets: fetch, check, store, synthesise, split
``features embeddings recall ranking evaluation``
    the parts of a recommender
``serving``
    the parts put together behind a request
``experiments``
    notebooks as reproducible experiments: runner, records, report
``cli``
    the ``recsys`` command
"""

__version__ = "0.1.0"

"""The library behind the executable course on industrial deep-learning recommenders.

Importing it loads nothing heavy: Spark, TensorFlow and gensim are imported by the modules that
are about them. :mod:`recsys_lib.course.architecture` lists the packages, from the ground up, with
what each of them does; a package imports only from layers below its own.
"""

__version__ = "0.1.0"

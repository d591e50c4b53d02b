"""Features: what is known of a user, an item and a moment.

The names below are imported at first use: reading the registry of columns, which models and the
serving process do, must not load an engine.
"""

import importlib

_HOMES = {
    "FEATURES": "registry",
    "documentation": "registry",
    "names": "registry",
    "serving_features": "engines",
    "training_samples": "engines",
    "user_ties": "engines",
    "with_content": "engines",
    "monitoring_statistics": "monitoring",
    "request_features": "request",
    "build_samples": "job",
    "build_monitoring": "tables",
    "build_serving_features": "tables",
    "build_training_samples": "tables",
    "to_pandas": "distributed.frames",
    "to_spark": "distributed.frames",
    "TransformConfig": "transforms",
    "fit_transforms": "transforms",
    "load_transforms": "transforms",
    "save_transforms": "transforms",
    "with_arrays": "transforms",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

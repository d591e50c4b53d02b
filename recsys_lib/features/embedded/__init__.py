"""The engine of one machine: polars in this process, without Java."""

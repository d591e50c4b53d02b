"""One recall channel (召回通道) a module."""

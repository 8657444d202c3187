"""The version of the package: what worker processes compare."""

__version__ = "0.1.0"

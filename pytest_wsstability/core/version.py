"""The version of the package: what worker processes compare."""

VERSION = "0.1.0"

"""What some reports need beside the package."""


class MissingExtra(RuntimeError):
    """An extra is not installed; the message names it."""

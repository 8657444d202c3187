"""What every test finds loaded."""

from contextlib import suppress

# pytester forgets the modules that a run inside has imported. A second copy of aiohttp shares its
# compiled parser with the first, and then takes text for bytes.
with suppress(ImportError):
    import aiohttp  # noqa: F401

"""Other people's test suites on the virtual loop: what they expect of asyncio, and where it differs."""

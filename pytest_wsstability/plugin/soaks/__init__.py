"""Holds that are tests: planned, held side by side, spread over workers, shown while they run."""

"""The pytest face: hooks only."""

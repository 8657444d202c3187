"""A spoken conversation over one connection: audio as streams, turns, and what a requirement asks."""

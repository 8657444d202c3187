"""What samples and runs can carry: round trips, survival, comparison, gates."""

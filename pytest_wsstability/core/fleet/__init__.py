"""Many connections as one requirement: what was planned, what came of each, and what that can show."""

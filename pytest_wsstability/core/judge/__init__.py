"""From a requirement and a timeline to a verdict."""

"""The user's side of a spoken conversation: a microphone, ears, and a script."""

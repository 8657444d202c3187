"""Applications under test, served in this process by the servers that their users deploy."""

"""The reference orchestrator: a server with every timer in the open, that misbehaves on request."""

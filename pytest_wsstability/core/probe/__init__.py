"""Connections side by side, each with one kind of traffic, and what their ends say about timers."""

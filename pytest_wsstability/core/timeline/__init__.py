"""The record of one end of a connection."""

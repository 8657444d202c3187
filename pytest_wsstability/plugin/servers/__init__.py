"""Servers under test that the plugin starts: applications in this process, commands in one of their own."""

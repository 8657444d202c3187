"""Signals of processes that tests start."""

import signal


def heed_signals():
    """In the child: whoever runs the tests may ignore them, as shells do in the background and nohup does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

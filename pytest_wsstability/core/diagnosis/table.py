"""
The table of causes, in the order in which it is read: the first row that fits is the diagnosis.

What somebody has said, or did on purpose, stands before what is inferred of silences and ages; what few
records fit, before what fits many.

"""

from __future__ import annotations

from . import (
    rows_ages,
    rows_between,
    rows_both,
    rows_close,
    rows_codes,
    rows_content,
    rows_cut,
    rows_cut_asked,
    rows_displaced,
    rows_harness,
    rows_idle_server,
    rows_keepalive,
    rows_last_words,
    rows_late,
    rows_on_purpose,
    rows_open,
    rows_protocol,
    rows_said,
    rows_said_keepalive,
    rows_said_timers,
    rows_session,
    rows_stopped,
    rows_timers,
    rows_unspoken,
    rows_uploads,
)
from .rows_between import told_from_both
from .signature import Signature

SIGNATURES: tuple[Signature, ...] = (
    *rows_session.RESUMED,
    # The test process itself, and what a test did on purpose.
    *rows_harness.ROWS,
    # The records of both ends.
    *rows_idle_server.ROWS,
    *rows_both.ROWS,
    *rows_between.CLOSED,
    *rows_content.BEFORE_CLOSE,
    # Another version of the protocol; a timer of it, by its words or its code; then words of the close
    # reason, whatever the code.
    *rows_protocol.VERSIONS,
    *told_from_both(rows_protocol.TIMERS, of_a_box=()),
    *rows_uploads.SAID,
    *rows_said_keepalive.ROWS,
    *rows_said_timers.ROWS,
    *rows_said.ROWS,
    # Codes and errors of the protocol, and what breaks it.
    *rows_protocol.CODES,
    *rows_protocol.FLAWS,
    # Close codes of RFC 6455 that mean one thing; then those that may mean more, with what the record shows.
    *rows_codes.DEFINED,
    *rows_displaced.ROWS,
    *rows_last_words.CLOSED,
    *rows_uploads.CLOSED,
    *rows_close.ROWS,
    *rows_on_purpose.ASKED,
    *rows_last_words.UNCLEAR,
    *rows_codes.POLICIES,
    *rows_codes.UNSAID,
    *rows_ages.CLOSED,
    *rows_timers.CLOSED,
    *rows_unspoken.CLOSED,
    *rows_close.LAST,
    # This end ended it: over what came, or because its own pings were not answered.
    *rows_content.ROWS,
    *rows_keepalive.ROWS,
    # No close frame came. A timer is told by what ran out, and an age where nothing did.
    *told_from_both(
        (
            *rows_cut.ROWS,
            *rows_uploads.CUT,
            *rows_unspoken.CUT,
            *rows_last_words.CALLED_ERRORS,
            *rows_last_words.STATUSES,
            *rows_last_words.ANNOUNCED,
            *rows_cut_asked.ROWS,
            *rows_timers.ROWS,
            *rows_ages.ROWS,
            *rows_last_words.CUT,
            *rows_cut_asked.LAST,
        )
    ),
    # The connection is open, and a promise is broken all the same.
    *rows_session.ROWS,
    *rows_between.OPEN,
    *rows_late.DUE,
    *rows_open.ROWS,
    *rows_between.ASKED,
    *rows_open.LAST,
    *rows_late.ROWS,
    *rows_last_words.STOPPED,
    *rows_stopped.ROWS,
)

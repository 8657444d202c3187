"""The table of causes, in the order in which it is read: the first row that fits is the diagnosis."""

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
    rows_open,
    rows_protocol,
    rows_said,
    rows_said_keepalive,
    rows_said_timers,
    rows_session,
    rows_stopped,
    rows_timers,
    rows_unspoken,
)
from .rows_between import told_from_both
from .signature import Signature

SIGNATURES: tuple[Signature, ...] = (
    *rows_session.RESUMED,
    *rows_harness.ROWS,
    *rows_idle_server.ROWS,
    *rows_both.ROWS,
    *rows_between.CLOSED,
    *told_from_both(rows_protocol.TIMERS, of_a_box=()),
    *rows_said_keepalive.ROWS,
    *rows_said_timers.ROWS,
    *rows_said.ROWS,
    *rows_protocol.CODES,
    *rows_protocol.FLAWS,
    *rows_codes.DEFINED,
    *rows_displaced.ROWS,
    *rows_last_words.CLOSED,
    *rows_close.ROWS,
    *rows_last_words.UNCLEAR,
    *rows_codes.POLICIES,
    *rows_codes.UNSAID,
    *rows_unspoken.CLOSED,
    *rows_close.LAST,
    *rows_content.ROWS,
    *rows_keepalive.ROWS,
    *told_from_both(
        (
            *rows_cut.ROWS,
            *rows_unspoken.CUT,
            *rows_cut_asked.ROWS,
            *rows_timers.ROWS,
            *rows_ages.ROWS,
            *rows_last_words.CUT,
            *rows_cut_asked.LAST,
        )
    ),
    *rows_session.ROWS,
    *rows_between.OPEN,
    *rows_open.ROWS,
    *rows_late.ROWS,
    *rows_last_words.STOPPED,
    *rows_stopped.ROWS,
)

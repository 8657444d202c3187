"""
Why a connection ended or broke: a table of causes, read in order, with what proves each.

One way leads from a record to its cause:

1. Facts. `extract` reads a timeline once into `features`. The record of the other end is read by `both`,
   those of other connections by `cohort`, timers and codes of the application's protocol by `protocol`,
   messages that answer nothing by `replies`, bytes that are no frames by `stray`.
2. Rows. A row (`signature`) says when it fits, by those facts alone, and what is then said. They stand in the
   files ``rows_*``, by what they are about; second causes that several of them share in `rivals`.
3. The cause. `table` has all rows in the order in which they are read: the first one that fits wins. Its
   rivals that fit as well lower the confidence, and the first of them is the runner-up.
4. Words. `engine` fills the row's sentences (`words`), quotes the facts that it names (`evidence`), and adds
   what tells it from the runner-up (`experiments`).

What a server logged, or its handler did (`lines`), when a connection ended (`client_end`) may overrule that:
`server_lines`. A connection that did not open has a table of its own, `opening`; so has a spoken
conversation, `core.voice.rows`.

"""

from ..cause import Blame, Cause, Confidence, Diagnosis, Evidence, Hypothesis
from .cohort import Cohort
from .engine import diagnose, diagnose_beside, diagnosed
from .opening import diagnose_opening

__all__ = [
    "Blame",
    "Cause",
    "Cohort",
    "Confidence",
    "Diagnosis",
    "Evidence",
    "Hypothesis",
    "diagnose",
    "diagnose_beside",
    "diagnose_opening",
    "diagnosed",
]

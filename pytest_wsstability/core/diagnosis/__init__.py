"""Why a connection ended or broke: a table of causes, read in order, with what proves each."""

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

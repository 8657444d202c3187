"""Why a connection ended or broke: a table of causes, read in order, with what proves each."""

from ..cause import Blame, Cause, Confidence, Diagnosis, Evidence, Hypothesis
from .engine import diagnose, diagnose_all, diagnosed
from .opening import diagnose_opening

__all__ = [
    "Blame",
    "Cause",
    "Confidence",
    "Diagnosis",
    "Evidence",
    "Hypothesis",
    "diagnose",
    "diagnose_all",
    "diagnose_opening",
    "diagnosed",
]

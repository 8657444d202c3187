"""Why a connection ended or broke: a table of causes, read in order, with what proves each."""

from .engine import diagnose, diagnose_all, diagnosed
from .model import Blame, Cause, Confidence, Diagnosis, Evidence, Hypothesis

__all__ = [
    "Blame",
    "Cause",
    "Confidence",
    "Diagnosis",
    "Evidence",
    "Hypothesis",
    "diagnose",
    "diagnose_all",
    "diagnosed",
]

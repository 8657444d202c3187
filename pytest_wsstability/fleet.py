"""Many connections as one requirement: ``from pytest_wsstability import fleet``."""

from .core.fleet.failure import FleetError
from .core.fleet.groups import EndGroup
from .core.fleet.merge import FleetCount
from .core.fleet.plan import FleetPlan
from .core.fleet.requirement import Drain, FleetRequirement
from .net.fleet.engines import InProcess, WorkerError, Workers
from .net.fleet.fleet import Fleet, hold_fleet, open_fleet
from .net.fleet.job import FleetJob

__all__ = [
    "Drain", "EndGroup", "Fleet", "FleetCount", "FleetError", "FleetJob", "FleetPlan", "FleetRequirement",
    "InProcess", "WorkerError", "Workers", "hold_fleet", "open_fleet",
]  # fmt: skip

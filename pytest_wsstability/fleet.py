"""Many connections as one requirement: ``from pytest_wsstability import fleet``."""

from .core.fleet.failure import FleetError
from .core.fleet.groups import EndGroup
from .core.fleet.plan import FleetPlan
from .core.fleet.requirement import Drain, FleetReconnects, FleetRequirement
from .core.fleet_summary import FleetCount, FleetSummary
from .net.fleet.cluster import Cluster
from .net.fleet.engine import Engine, InProcess, WorkerError
from .net.fleet.fleet import Fleet, hold_fleet, open_fleet
from .net.fleet.job import FleetJob
from .net.fleet.workers import Workers

__all__ = [
    "Cluster", "Drain", "EndGroup", "Engine", "Fleet", "FleetCount", "FleetError", "FleetJob", "FleetPlan",
    "FleetReconnects", "FleetRequirement", "FleetSummary", "InProcess", "WorkerError", "Workers",
    "hold_fleet", "open_fleet",
]  # fmt: skip

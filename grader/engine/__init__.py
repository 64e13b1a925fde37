"""A whole cohort: worker processes, progress, and every result on the disk as it comes."""

from grader.engine.pool import Event, Finished, Started, grade_cohort
from grader.engine.reuse import environment_digest, folder_seed, interrupted_seed
from grader.engine.run import grade_into, prepare_output
from grader.engine.slots import Workers
from grader.engine.unmarked import Provenance
from grader.engine.worker import MarkerFactory, MarkerProtocol

__all__ = [
    "Event",
    "Finished",
    "MarkerFactory",
    "MarkerProtocol",
    "Provenance",
    "Started",
    "Workers",
    "environment_digest",
    "folder_seed",
    "grade_cohort",
    "grade_into",
    "interrupted_seed",
    "prepare_output",
]

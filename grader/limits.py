"""Every limit of time, in seconds by the clock, and how they depend on each other.

A limit has to be longer than all that runs within it: a call of a student's code, then all calls of a
submission, then a check, then the worker process that marks the submission. `tests/test_limits.py` holds
these relations. A limit that is reached from the inside costs the student what the code deserves; one that
is reached from the outside is the grader's fault, and a person has to look at it.

Two limits are not here, because the files that set them run where nothing of the grader can be imported:
`CPU_SECONDS` of `box/inside/isolation.py`, for a process of a student's code, and of `report/redraw.py`, for
the process that draws figures anew.
"""

from __future__ import annotations

# -- a student's code ----------------------------------------------------------------------------

# An ordinary call takes milliseconds; a crowded machine may stretch it a hundredfold.
CALL_SECONDS = 20.0
# A call that trains for some steps, longer in part 1, whose networks are larger.
PART1_CHUNK_SECONDS = 120.0
PART2_CHUNK_SECONDS = 60.0
# All of a submission's calls together. Marking takes 10 s, a minute on a crowded machine; once a call has not
# ended, the other checks of its item are not tried, so that 16 endless loops fit in, too.
SUBMISSION_SECONDS = 600.0
FIGURES_SECONDS = 60.0  # to draw all figures of a submission anew
NEWER_PYTHON_SECONDS = 10.0  # to ask which Python a file is written for

# -- the box -------------------------------------------------------------------------------------

BOX_START_SECONDS = 120.0  # importing torch from a cold disk was seen to take 40 s
BOX_REPLY_SECONDS = 30.0
BOX_END_SECONDS = 10.0
BOX_TRIAL_SECONDS = 10.0  # to try whether a box holds at all, without torch: it takes 0.2 s
BOX_PYTHON_SECONDS = 30.0  # to ask another interpreter what it is

# -- the grader ----------------------------------------------------------------------------------

CHECK_SECONDS = 900  # a guard against the grader's own hanging
WORKER_SECONDS = 1800.0  # for a submission, which is marked a second time where the box breaks down
WORKER_END_SECONDS = 5.0  # for a worker to close its box when it is told to stop, before it is killed

# -- people ------------------------------------------------------------------------------------------

DESK_BUSY_SECONDS = (
    4.0  # that a page of the desk waits for the database; a run that enters marks holds it for less
)
GIT_SECONDS = 20.0  # to find the version of the suites that a result was made with

# -- a cluster -----------------------------------------------------------------------------------

CLUSTER_CONNECT_SECONDS = 10
CLUSTER_PATIENCE_SECONDS = 60.0  # without any worker, where none is on its way
CLUSTER_IDLE_SECONDS = 300.0  # a warm box on a worker is ended when nothing was asked of it for so long
# Without a word from the grader, until a worker that starts for a run gives up: at least, for dask-jobqueue's
# configuration may say more. The grader was killed, most likely. A worker at work ends at once.
CLUSTER_LOST_SECONDS = 30
SLURM_TRY_SECONDS = 60
SLURM_LOOK_SECONDS = 5.0  # how often the queue is looked at while workers are missing

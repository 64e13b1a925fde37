# The front door. `make grade` and `make test` set up all they need and then do their job.
#
#   make grade [SUBMISSIONS=folder] [OUTPUT=output] [JOBS=2] [SEED=7] [DATA=digits|mnist] [DETAILS=yes]
#   make grade COURSE=folder        a course with nbgrader: collect, mark, enter the marks, write the feedback
#   make evidence SUBMISSIONS=folder OUTPUT=output [MNIST_ROOT=data]   what full trainings claim, beside the results
#   make desk COURSE=folder         mark what a person marks, in a browser: answers and figures, question by question
#   make demo-course [COURSE=build/demo-course] [COUNT=300]   a made-up course to try the desk on
#   make grade ALLOW_DISTRIBUTIONS=yes   waive the rule against torch.distributions; every result records it
#   make grade ALLOW_DEVICES=yes   deduct nothing for a device, such as cuda or mps, that the grader lacks
#   make grade FRESH=yes            mark all anew; otherwise an interrupted run goes on, and what still holds is reused
#   make grade DASK=tls://host:8786, or SLURM=16   mark on a cluster, see docs/performance.md
#   make grade BOX_PYTHON=/srv/python3.13/bin/python   run the code with another Python, see docs/tas.md
#   make doctor                     can this machine mark? names what is missing, with the remedy
#   make test [TESTS=tests/box]     the kit's own tests, in two processes, without the slow ones
#   make test-all                   with the slow ones
#   make bank [SEEDS="1 2"] [ONLY=1.7.kld]   mark wrong and right submissions: how often does the grader err?
#   make prices                     what does each wrong submission of the bank cost, and what do two mistakes together?
#   make flakes                     mark the solutions with 1,000 seeds: do they ever lose a point?
#   make kinds                      mark right networks of ten very different kinds with 20 seeds: does one lose a point?
#   make calibrate                  all three, the bank with 3 seeds, and what they found into docs/calibration.md
#   make mutation                   mark small changes of the solutions: does the grader notice each of them?
#   make results [MNIST_ROOT=data] [JOBS=2] [THREADS=1] [EXTRA=yes]   train at full length what docs/results.md lacks
#   make docs                       the guides and the handout as a site, in build/site
#   make figures                    draw the handout's figures anew
#   make lint                       ruff, mypy, and stubs and documents that match their sources
#   make stubs                      write student/ anew from solutions/
#   make manifest                   write anew what rubric.toml and questions.toml decide, see docs/adapting.md
#   make machines                   a course with accounts, a JupyterHub and two markers, on a machine of its own (root)
#   make golden                     write anew what the sample cohort must come to; read the difference
#   make release [RELEASE=build/release]  the zip for students: stubs, public tests, handout, report
#   make cohort                     assemble the sample cohort in build/cohort
#   make lock                       pin the versions anew
#   make clean                      remove what the other targets made, the environment too

VENV := .venv
PYTHON := $(VENV)/bin/python
UV_VERSION := 0.13.9
COHORT := build/cohort

SUBMISSIONS ?= $(COHORT)
OUTPUT ?= output
RELEASE ?= build/release
TESTS ?= tests

.PHONY: help setup sandbox browser database slurm grade evidence desk demo-course doctor test test-all bank prices flakes kinds calibrate mutation results machines lint docs figures golden stubs manifest release cohort lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#  *make/  make/p' Makefile

setup: $(VENV)/.ready sandbox

# uv installs in half a minute what takes pip two; pip is the second try, for a site whose package index
# only pip's configuration knows. Every version is pinned, torch and torchvision as a pair. Compiled at once,
# as pip does: nothing else may write into the environment from the box, which would start in 20 s, not 6.
$(VENV)/.ready: requirements.txt
	@[ ! -L $(VENV) ] || { echo "make: $(VENV) is a link to another checkout's environment, which setting up \
	would clear: run make setup there and touch $(VENV)/.ready, or remove the link" >&2; exit 2; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: Python 3.11 or newer is needed, but python3 is $$(python3 --version 2>&1)" >&2; exit 2; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { $(call install,python3-venv); } || \
	  { echo "make: python3 cannot make virtual environments; install python3-venv" >&2; exit 2; }
	python3 -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(VENV)/bin/uv pip install --quiet --compile-bytecode --python $(PYTHON) -r requirements.txt || \
	  $(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

# bubblewrap is a system package: with apt and the right to use it, it is installed; otherwise one line says
# how. The grader itself refuses to start without it.
sandbox:
	@command -v bwrap >/dev/null || { $(call install,bubblewrap); } || \
	  echo "make: bubblewrap is missing and could not be installed; install it: apt install bubblewrap, or dnf install bubblewrap" >&2

# Only the tests of the pages use a browser: without one they are skipped, and say so.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { $(call install,chromium); } || \
	  echo "make: chromium is missing and could not be installed: the browser tests will be skipped (apt install chromium)" >&2

# Only the test of a gradebook in PostgreSQL uses a server: without one it is skipped, and says so.
database:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { $(call install,postgresql); } || \
	  echo "make: PostgreSQL is missing and could not be installed: its test will be skipped (apt install postgresql)" >&2

# Only the tests of a real Slurm use one: without it they are skipped, and say so.
slurm:
	@command -v slurmctld >/dev/null || ls /usr/sbin/slurmctld >/dev/null 2>&1 || { $(call install,slurm-wlm munge); } || \
	  echo "make: Slurm is missing and could not be installed: its tests will be skipped (apt install slurm-wlm munge)" >&2

define install
[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "installing $(1)" && \
  (apt-get install -y -qq $(1) || (apt-get update -qq && apt-get install -y -qq $(1))) >/dev/null 2>&1
endef

# A slip must not go unnoticed: SUBMISSONS=... would mark the sample cohort.
OPTIONS := SUBMISSIONS OUTPUT COURSE COUNT PORT JOBS SEED DATA DETAILS FRESH ALLOW_DISTRIBUTIONS ALLOW_DEVICES DASK DASK_WITHOUT_TLS SLURM BOX_PYTHON TESTS SEEDS ONLY \
  MNIST_ROOT THREADS EXTRA RELEASE COHORT VENV PYTHON UV_VERSION SHELL
unknown := $(filter-out $(OPTIONS),$(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
$(if $(unknown),$(error there is no option $(firstword $(unknown)); make help lists them))

# An option is switched on by yes and by nothing else: =no must not waive a rule.
yes = $(if $(filter-out yes no,$($(1))),$(error $(1) is yes or no, not $($(1))))$(filter yes,$($(1)))

grading_options = $(if $(JOBS),--jobs $(JOBS)) $(if $(SEED),--seed $(SEED)) $(if $(DATA),--data $(DATA)) \
  $(if $(call yes,DETAILS),--details) $(if $(call yes,FRESH),--fresh) $(if $(DASK),--dask $(DASK)) \
  $(if $(call yes,DASK_WITHOUT_TLS),--dask-without-tls) \
  $(if $(SLURM),--slurm $(SLURM)) $(if $(call yes,ALLOW_DISTRIBUTIONS),--allow-distributions) \
  $(if $(call yes,ALLOW_DEVICES),--allow-devices)

# Given on the command line, make hands it on to the grader by itself.
ifdef COURSE
grade: setup
	@$(PYTHON) -m grader course grade "$(COURSE)" $(grading_options)
else
grade: setup $(if $(filter $(COHORT),$(SUBMISSIONS)),cohort)
	@$(PYTHON) -m grader grade "$(SUBMISSIONS)" --output "$(OUTPUT)" $(grading_options)
endif

evidence: setup
	@$(if $(MNIST_ROOT),MNIST_ROOT="$(MNIST_ROOT)") $(PYTHON) -m grader evidence "$(SUBMISSIONS)" --results "$(OUTPUT)" \
	  $(if $(SEED),--seed $(SEED))

desk: setup
ifndef COURSE
	@echo "make: which course? make desk COURSE=folder; make demo-course makes one to try" >&2; exit 2
else
	@$(PYTHON) -m grader course desk "$(COURSE)" $(if $(PORT),--port $(PORT))
endif

demo-course: $(VENV)/.ready
	@$(PYTHON) -m tests.desk.demo "$(or $(COURSE),build/demo-course)" $(if $(COUNT),--count $(COUNT))

cohort: $(VENV)/.ready
	@$(PYTHON) tests/submissions/make_cohort.py $(COHORT)

# Without `setup`, which would mend some of what it is to find.
doctor: $(VENV)/.ready
	@$(PYTHON) -m grader doctor

test: setup browser
	$(PYTHON) -m tests.two_processes $(TESTS)

test-all: setup browser
	$(PYTHON) -m pytest $(TESTS) -m "slow or not slow"

bank: setup
	@$(PYTHON) -m tests.bank $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(ONLY),--only "$(ONLY)")

prices: setup
	@$(PYTHON) -m tests.bank.prices $(if $(JOBS),--jobs $(JOBS))

kinds: setup
	@$(PYTHON) -m tests.bank.kinds $(if $(JOBS),--jobs $(JOBS)) $(if $(ONLY),--only "$(ONLY)")

flakes: setup
	@$(PYTHON) -m tests.bank.flakes $(if $(JOBS),--jobs $(JOBS))

# The page is written whatever they find: it is where an error has to be seen.
calibrate: setup
	-@$(MAKE) --no-print-directory flakes
	-@$(MAKE) --no-print-directory kinds
	-@$(MAKE) --no-print-directory bank SEEDS="1 2 3"
	@$(PYTHON) -m tests.bank.calibrate

mutation: setup
	@$(PYTHON) -m tests.mutation $(if $(ONLY),--only "$(ONLY)")

# Hours; interrupted, it goes on from the last finished epochs.
results: $(VENV)/.ready
	@$(PYTHON) -m tests.results $(if $(MNIST_ROOT),--data_dir $(MNIST_ROOT)) $(if $(JOBS),--jobs $(JOBS)) \
	  $(if $(THREADS),--threads $(THREADS)) $(if $(call yes,EXTRA),--extra)

# Makes accounts, so it needs root; it needs JupyterHub from PyPI and its proxy from npm.
machines: setup browser
	@$(PYTHON) -m tests.machines

lint: $(VENV)/.ready
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(PYTHON) -m grader.release.manifest --check

docs: $(VENV)/.ready
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet
	@echo "the site is in build/site: open build/site/index.html"

figures: $(VENV)/.ready
	@$(PYTHON) docs/handout/figures/draw_all.py

golden: setup
	$(PYTHON) -m tests.test_grading

stubs: $(VENV)/.ready
	$(PYTHON) -m grader.release.stubs

manifest: $(VENV)/.ready
	@$(PYTHON) -m grader.release.manifest

release: $(VENV)/.ready
	@$(PYTHON) -m grader.release.bundle --output $(RELEASE)

lock: $(VENV)/.ready
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header --upgrade \
	  pyproject.toml -o requirements.txt

clean:
	rm -rf $(VENV) build output .pytest_cache .mypy_cache .ruff_cache

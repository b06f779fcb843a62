# Every target makes what it needs: two virtual environments, one with the core alone.
PYTHON ?= python3
CORE := .venv-core
FULL := .venv
PEERS := .venv-peers
JAX := .venv-jax
FLOORS := .venv-floors
PIP := -m pip --quiet --disable-pip-version-check --no-input

.PHONY: demo test test-all clusters jax floors pythons campaign check format docs calibrate \
    examples peers peers-apart site links wheel bench clean

demo: $(CORE)/ready
	$(CORE)/bin/hwnas-env run --env HWNAS-FBNet-EdgeTPU-v0 --env HWNAS-NASBench201-EdgeGPU-v0 \
	    --agent random --agent evolution --agent reinforce --queries 300 --seeds 5
	@echo
	@echo "Next: docs/tutorials/first_search.md, ten minutes from an environment to a figure;"
	@echo "      $(CORE)/bin/hwnas-env --help; pip install \".[plots,rl,bbo]\" for learners and reports."

# Two processes, each with whole files, whose tests share what they set up; in the order of
# names, since files of few tests are among the longest, and would end the suite alone.
TWO := -n 2 --dist loadfile --no-loadscope-reorder
# Those of jax apart: other tests fork, and a process with jax's threads must not.
COMPILED := $(wildcard tests/test_jax*.py) tests/test_transfer_ppo.py
test: $(FULL)/ready
	$(FULL)/bin/python -m pytest -q $(TWO) $(addprefix --ignore=,$(COMPILED)) $(PYTEST)
	$(FULL)/bin/python -m pytest -q $(TWO) $(COMPILED) $(PYTEST) || test $$? -eq 5

# The contracts over every id, and every backend: by hand, it takes half an hour.
test-all: $(FULL)/ready
	$(FULL)/bin/python -m pytest -q $(TWO) -m "" $(PYTEST)

# Dask, and runs that hang or die in Ray's workers, which take long to start.
clusters: $(FULL)/ready
	$(FULL)/bin/python -m pytest -q -m "" tests/test_clusters.py -k "dask or (ray and hang)"

# Compiled episodes and learners over all tasks, and gymnax, which pins Gymnasium.
jax: $(FULL)/ready $(JAX)/ready
	timeout 1500 $(FULL)/bin/python -m pytest -q $(TWO) -m jax $(COMPILED) \
	    tests/test_own_costs.py tests/test_pages.py
	JAX_ENABLE_X64=1 timeout 600 $(FULL)/bin/python -m pytest -q -m "" tests/test_jax.py \
	    -k "every_form"
	timeout 300 $(JAX)/bin/python -m pytest -q tests/test_gymnax.py

# The lowest versions that pyproject.toml declares, and the Gymnasium that RLlib pins.
FLOOR_TESTS := $(addprefix tests/test_,envs.py modes.py vector.py autoreset.py \
    wrappers.py vector_wrappers.py observation.py record.py shared_ledger.py problems.py \
    ledger.py learners.py sb3.py same_bits.py)
floors: $(FLOORS)/ready
	$(FLOORS)/bin/python $(PIP) install --no-deps -r $(FLOORS)/lowest.txt
	$(FLOORS)/bin/hwnas-env run --env HWNAS-FBNet-EdgeTPU-v0 --queries 50 --seeds 2
	$(FLOORS)/bin/python -m pytest -q -m "not full and not slow" $(FLOOR_TESTS)
	$(FLOORS)/bin/python $(PIP) install gymnasium==1.2.2
	$(FLOORS)/bin/python -m pytest -q -m "not full and not slow" $(wordlist 1,7,$(FLOOR_TESTS))

# The core on the oldest and on a newer Python, where the machine has them.
CORE_TESTS := $(addprefix tests/test_,problems.py masks.py spaces.py rewards.py \
    ledger.py elementary.py same_bits.py unpickle.py)
pythons:
	set -e; for version in 3.10 3.13; do \
	    PYENV_VERSION=$$(pyenv versions --bare 2> /dev/null | grep "^$$version\." | tail -n 1); \
	    export PYENV_VERSION; \
	    python$$version -c "" 2> /dev/null || { echo "no Python $$version here"; continue; }; \
	    python$$version -m venv .venv-$$version; \
	    .venv-$$version/bin/python $(PIP) install -e . pytest hypothesis; \
	    .venv-$$version/bin/hwnas-env run --env HWNAS-FBNet-EdgeTPU-v0 --queries 50 --seeds 2; \
	    .venv-$$version/bin/python -m pytest -q -m "not full and not slow" $(CORE_TESTS); \
	done

# Hostile files, kills, odd arguments and long plays; prints the seed that draws them, which
# is another each time unless SEED says it.
MINUTES ?= 60
campaign: $(FULL)/ready
	$(FULL)/bin/python -m tests.campaign --minutes $(MINUTES) $(addprefix --seed ,$(SEED))

check: $(FULL)/ready
	$(FULL)/bin/ruff format --check .
	$(FULL)/bin/ruff check .
	$(FULL)/bin/mypy
	$(FULL)/bin/python -m pytest -q --doctest-modules hwnas_env --ignore hwnas_env/jax/gymnax.py
	$(FULL)/bin/python docs/generate.py --check

format: $(FULL)/ready
	$(FULL)/bin/ruff format .
	$(FULL)/bin/ruff check --fix .

docs: $(FULL)/ready
	$(FULL)/bin/python docs/generate.py

examples: $(FULL)/ready
	set -e; for file in examples/*.py; do echo "$$file"; $(FULL)/bin/python "$$file"; done
	HWNAS_ENV_DEVICES=examples/custom_device $(FULL)/bin/hwnas-env run \
	    --env HWNAS-NASBench201-MyBoard-v0 --queries 30 --seeds 2
	HWNAS_ENV_SPACES=stages:SPACE HWNAS_ENV_DEVICES=examples/custom_space \
	    PYTHONPATH=examples/custom_space $(FULL)/bin/hwnas-env run \
	    --env HWNAS-Stages-Desk-v0 --queries 30 --seeds 2

# The committed coefficients again, byte for byte, where the reference data is.
REFERENCE ?= ../shared/data
calibrate: $(FULL)/ready
	$(FULL)/bin/python -m calibration $(REFERENCE)

# Other projects' optimisers, whose requirements stay out of our own environment.
peers: $(PEERS)/ready
	set -e; for file in examples/peers/*.py; do echo "$$file"; $(PEERS)/bin/python "$$file"; done
	$(PEERS)/bin/python -m pytest -q tests/test_morl.py tests/test_rliable.py \
	    tests/test_integrations.py
	set -e; logs=$$(mktemp -d); for algo in ppo a2c dqn; do \
	    $(PEERS)/bin/python -m rl_zoo3.train --algo $$algo --gym-packages hwnas_env \
	    --conf-file docs/rl_zoo3/$$algo.yml --env HWNAS-NASBench201-FPGA-v0 -n 600 \
	    --log-folder $$logs --verbose 0; done; rm -r $$logs

# Those whose requirements exclude the others', by hand: an environment for each.
APART := rllib smac syne-tune vizier mlflow
peers-apart:
	set -e; for name in $(APART); do \
	    $(PYTHON) -m venv .venv-peers-$$name; \
	    .venv-peers-$$name/bin/python $(PIP) install --constraint constraints.txt torch; \
	    .venv-peers-$$name/bin/python $(PIP) install --constraint constraints.txt -e ".[$$name]"; \
	    file=examples/peers/apart/with_$$(echo $$name | tr - _).py; echo "$$file"; \
	    .venv-peers-$$name/bin/python $$file; done

# Without its requirements first, since their lowest versions stand in its metadata.
$(FLOORS)/ready: pyproject.toml constraints.txt tests/lowest.py
	$(PYTHON) -m venv $(FLOORS)
	$(FLOORS)/bin/python $(PIP) install --constraint constraints.txt torch
	$(FLOORS)/bin/python $(PIP) install --no-deps -e .
	$(FLOORS)/bin/python tests/lowest.py plots rl bbo minari > $(FLOORS)/lowest.txt
	$(FLOORS)/bin/python $(PIP) install -r $(FLOORS)/lowest.txt pytest hypothesis mo-gymnasium
	touch $@

# The site: pages, notebooks that are run, the reference; every warning is an error.
site: $(FULL)/ready
	rm -rf docs/_build
	OMP_NUM_THREADS=1 $(FULL)/bin/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	$(FULL)/bin/python docs/check_site.py docs/_build/html

# Links to other sites; by hand, since it asks the network.
links: $(FULL)/ready
	$(FULL)/bin/python -m sphinx -q -b linkcheck docs docs/_build/links

wheel: $(FULL)/ready
	rm -rf dist && $(FULL)/bin/python -m build --wheel --outdir dist . > /dev/null

bench: $(FULL)/ready $(JAX)/ready
	OMP_NUM_THREADS=1 $(FULL)/bin/python -m pytest -q benchmarks --benchmark-quiet
	$(JAX)/bin/python benchmarks/jax_speed.py
	OMP_NUM_THREADS=1 $(FULL)/bin/python benchmarks/speed_page.py

$(CORE)/ready: pyproject.toml
	$(PYTHON) -m venv $(CORE)
	$(CORE)/bin/python $(PIP) install -e .
	touch $@

# PyTorch first and alone: the CPU build, before anything that asks for torch.
$(FULL)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(FULL)
	$(FULL)/bin/python $(PIP) install --constraint constraints.txt torch
	$(FULL)/bin/python $(PIP) install --constraint constraints.txt -e ".[plots,rl,bbo,jax,torch,measure,pandas,minari,dask,ray,docs,dev]"
	touch $@

$(JAX)/ready: pyproject.toml
	$(PYTHON) -m venv $(JAX)
	$(JAX)/bin/python $(PIP) install -e ".[gymnax]" pytest hypothesis
	touch $@

$(PEERS)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python $(PIP) install --constraint constraints.txt torch
	$(PEERS)/bin/python $(PIP) install --constraint constraints.txt -e ".[peers]" pytest hypothesis
	touch $@

clean:
	rm -rf $(CORE) $(FULL) $(PEERS) $(JAX) $(FLOORS) .venv-3.* .venv-peers-* dist build docs/_build *.egg-info

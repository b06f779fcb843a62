# Every target makes what it needs: two virtual environments, one with the core alone.
PYTHON ?= python3
CORE := .venv-core
FULL := .venv
PEERS := .venv-peers
PIP := -m pip --quiet --disable-pip-version-check --no-input

.PHONY: demo test check format docs examples peers wheel bench clean

demo: $(CORE)/ready
	$(CORE)/bin/hwnas-env run --env HWNAS-FBNet-EdgeTPU-v0 --env HWNAS-NASBench201-EdgeGPU-v0 \
	    --agent random --agent evolution --agent reinforce --budget 300 --seeds 5

test: $(FULL)/ready
	$(FULL)/bin/python -m pytest -q $(PYTEST)

check: $(FULL)/ready
	$(FULL)/bin/ruff format --check .
	$(FULL)/bin/ruff check .
	$(FULL)/bin/mypy
	$(FULL)/bin/python -m pytest -q --doctest-modules hwnas_env
	$(FULL)/bin/python docs/generate.py --check

format: $(FULL)/ready
	$(FULL)/bin/ruff format .
	$(FULL)/bin/ruff check --fix .

docs: $(FULL)/ready
	$(FULL)/bin/python docs/generate.py

examples: $(FULL)/ready
	set -e; for file in examples/*.py; do echo "$$file"; $(FULL)/bin/python "$$file"; done

# Other projects' optimisers, whose requirements stay out of our own environment.
peers: $(PEERS)/ready
	set -e; for file in examples/peers/*.py; do echo "$$file"; $(PEERS)/bin/python "$$file"; done
	$(PEERS)/bin/python -m pytest -q tests/test_morl.py tests/test_rliable.py
	set -e; logs=$$(mktemp -d); for algo in ppo a2c dqn; do \
	    $(PEERS)/bin/python -m rl_zoo3.train --algo $$algo --gym-packages hwnas_env \
	    --conf-file docs/rl_zoo3/$$algo.yml --env HWNAS-NASBench201-FPGA-v0 -n 600 \
	    --log-folder $$logs --verbose 0; done; rm -r $$logs

wheel: $(FULL)/ready
	rm -rf dist && $(FULL)/bin/python -m build --wheel --outdir dist . > /dev/null

bench: $(FULL)/ready
	OMP_NUM_THREADS=1 $(FULL)/bin/python -m pytest -q benchmarks --benchmark-quiet

$(CORE)/ready: pyproject.toml
	$(PYTHON) -m venv $(CORE)
	$(CORE)/bin/python $(PIP) install -e .
	touch $@

# PyTorch first and alone: the CPU build, before anything that asks for torch.
$(FULL)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(FULL)
	$(FULL)/bin/python $(PIP) install --constraint constraints.txt torch
	$(FULL)/bin/python $(PIP) install --constraint constraints.txt -e ".[plots,rl,bbo,torch,minari,dask,ray,dev]"
	touch $@

$(PEERS)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python $(PIP) install --constraint constraints.txt torch
	$(PEERS)/bin/python $(PIP) install --constraint constraints.txt -e ".[peers]" pytest
	touch $@

clean:
	rm -rf $(CORE) $(FULL) $(PEERS) dist build *.egg-info

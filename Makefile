# make demo    convert models, run them on recorded sound, photos and a clip, receive alerts
# make test    the tests
# make check   style, types, import rules
# make bench   the measurements
# make clean   remove what was built; `make distclean` removes .venv too
#
# Each does its own set-up on a machine that has Python and make. PYTHON=python3.12 chooses the Python.

STAMPS := .venv/.stamps
DEMO_OUT ?= edge-sdk-demo
TESTS ?= tests
# yamnet.py, backend_*.py and picture_*.py are what some of them share or are made of.
BENCHMARKS := $(filter-out benchmarks/yamnet.py benchmarks/backend_% benchmarks/picture_%,$(sort $(wildcard benchmarks/*.py)))
export PYTHON

.PHONY: demo test check bench clean distclean
.NOTPARALLEL:
.DELETE_ON_ERROR:

demo: $(STAMPS)/demo
	.venv/bin/edge-sdk demo --output $(DEMO_OUT)

# A file of tests at a time in each of as many processes as there are cores; four at most, for their memory.
# With bytecode on disk: the many short processes that tests start would else each compile the project.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(STAMPS)/demo $(STAMPS)/dev
	.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(TESTS)

check: $(STAMPS)/demo $(STAMPS)/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: $(STAMPS)/demo $(STAMPS)/dev
	@for script in $(BENCHMARKS); do echo "== $$script"; .venv/bin/python $$script || [ $$? = 77 ] || exit 1; done

# core: the environment and the SDK; demo and dev: each adds what it lacks, in any order.
$(STAMPS)/core: pyproject.toml constraints.txt
	@python=$$(tools/find-python) && "$$python" tools/preflight.py && "$$python" tools/bootstrap.py core

$(STAMPS)/demo $(STAMPS)/dev: $(STAMPS)/core
	@.venv/bin/python tools/bootstrap.py $(@F)

clean:
	rm -rf build dist $(DEMO_OUT) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -path ./.venv -prune -o -name __pycache__ -exec rm -rf {} +

distclean: clean
	rm -rf .venv

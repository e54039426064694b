# Thin names for `cargo xtask`. `xtask/with-tools.sh` says in one sentence what this machine lacks, and starts it.
# Options go through ARGS, for example: make test ARGS="--only tidy"

.DEFAULT_GOAL := help
.PHONY: help demo test

help:
	@echo 'make demo    build sluice and the example job, and show a blue/green upgrade on this machine'
	@echo 'make test    every check and every test, as in continuous integration'
	@echo 'cargo xtask --help lists the rest: single checks, generated files, benchmarks.'

demo:
	@xtask/with-tools.sh demo $(ARGS)

test:
	@xtask/with-tools.sh test $(ARGS)

# Damselfly: build, run, test. `make help` lists what there is.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DEFAULT_GOAL := help
.PHONY: stress linear kills fuse-kills fuse-files node-current programs-wasi fuzz crash fuzz-images help install system system-bench build run tour test model planted million bench lint format clean

# The tree that `make run` imports.
DIR ?= .
NODE ?= node
# The disk that its machine lives on.
IMAGE ?= damselfly.img
BIN := node_modules/.bin

KERNEL_SOURCES := $(shell find assembly -name '*.ts' ! -name stackprobe.ts) assembly/build.mjs asconfig.json
HOST_SOURCES := $(shell find host assembly/abi -name '*.ts') host/bundle.mjs package-lock.json tsconfig.json tsconfig.build.json
DAMSELFLY = $(NODE) build/dist/host/cli/main.js
KERNEL := build/kernel/.built
HOST := build/dist/.built

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What is installed is compared by content, since a fresh checkout's times say nothing. A link is
# somebody else's directory, and is left as it is.
install: ## install the packages that the lock file names
	@if [ ! -L node_modules ] && ! cmp -s package-lock.json node_modules/.damselfly-lock.json; then \
		echo 'npm ci'; \
		npm ci --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.damselfly-lock.json; \
	fi

# What the tests need besides Node: a C compiler, git, tree, and the programs of attr, e2fsprogs and mount;
# what mounting is tested with (fuse3, rsync, sqlite3, fio, dbench, inotify-tools; npm, which Debian's node has apart);
# and a browser, without which the tests in it are skipped. CHROMIUM=PATH names one that is not on the PATH.
system:
	@missing=; wanted=; \
	command -v cc >/dev/null && echo 'int main(void){return 0;}' | cc -x c -include errno.h -o /dev/null - 2>/dev/null || missing='gcc libc6-dev'; \
	command -v git >/dev/null || missing="$$missing git"; \
	command -v tree >/dev/null || missing="$$missing tree"; \
	command -v getfattr setfattr >/dev/null || missing="$$missing attr"; \
	PATH="$$PATH:/usr/sbin:/sbin" command -v mke2fs >/dev/null || missing="$$missing e2fsprogs"; \
	PATH="$$PATH:/usr/sbin:/sbin" command -v losetup >/dev/null || missing="$$missing mount"; \
	command -v fusermount3 >/dev/null || wanted="$$wanted fuse3"; \
	command -v rsync >/dev/null || wanted="$$wanted rsync"; \
	command -v sqlite3 >/dev/null || wanted="$$wanted sqlite3"; \
	command -v fio >/dev/null || wanted="$$wanted fio"; \
	command -v dbench >/dev/null || wanted="$$wanted dbench"; \
	command -v inotifywait >/dev/null || wanted="$$wanted inotify-tools"; \
	[ -n "$$CHROMIUM" ] || command -v chromium chromium-browser google-chrome google-chrome-stable >/dev/null || wanted="$$wanted chromium"; \
	if [ -n "$$missing$$wanted" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "apt-get install $$missing $$wanted"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing $$wanted >/dev/null; \
		elif [ -n "$$missing" ]; then echo "the tests need these packages, which are not installed:$$missing" >&2; exit 1; \
		else echo "not installed, and the tests that need them are skipped:$$wanted" >&2; fi; \
	fi

$(KERNEL): $(KERNEL_SOURCES) | install
	@$(NODE) assembly/build.mjs
	@touch $@

$(HOST): $(HOST_SOURCES) | install
	@rm -rf build/dist
	@$(BIN)/tsc -p tsconfig.build.json
	@$(NODE) host/bundle.mjs
	@touch $@

build: $(KERNEL) $(HOST) ## build the kernel (four artefacts) and the host

# The machine lives on an image, which keeps what is done in it. On a terminal it ends in a login shell;
# nobody is there to type otherwise, so it takes the tour, whose changes are thrown away.
run: build $(IMAGE) ## boot the machine on IMAGE (made with DIR in it when it is not there) and log in; without a terminal: the tour
	@if [ -t 0 ] && [ -t 1 ]; then $(DAMSELFLY) boot --disk '$(IMAGE)' --root ext4:/dev/vbd0; \
	else $(MAKE) tour; fi

tour: build $(IMAGE) ## take the tour, on a terminal too: IMAGE stays as it is
	@$(DAMSELFLY) boot --disk '$(IMAGE):scratch' --root ext4:/dev/vbd0 --update '$(DIR):/src' --tour

# Under another name until it is filled, so that one that was interrupted is not taken for whole.
$(IMAGE): | build
	@rm -f '$@.new'
	@$(DAMSELFLY) img create '$@.new' --fit '$(DIR)' --label damselfly
	@$(DAMSELFLY) img put '$@.new' '$(DIR)' /src && mv '$@.new' '$@'

# A current Node, with its own lock file: for the gate with several memories, which the oldest Node that is
# supported has not, and for the benchmark of it.
node-current: test/node-current/node_modules/.installed

test/node-current/node_modules/.installed: test/node-current/package-lock.json
	@echo 'npm ci (test/node-current)'
	@cd test/node-current && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed

# Programs that others built, with a lock file of their own since they are large: CPython, 26 MB.
programs-wasi: test/programs-wasi/node_modules/.installed

test/programs-wasi/node_modules/.installed: test/programs-wasi/package-lock.json
	@echo 'npm ci (test/programs-wasi)'
	@cd test/programs-wasi && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed

test: system build node-current programs-wasi ## run all tests
	@$(BIN)/vitest run

# SEEDS, OPS, FLAVOUR, FS=ext4, REPLAY=SEED:RUN are passed on; see test/model/run.ts.
model: system build ## random operations beside the host's own kernel: 200,000 over 20 seeds
	@$(BIN)/tsc -p test/model/tsconfig.json
	@$(NODE) build/model/test/model/run.js $(if $(SEEDS),--seeds $(SEEDS)) $(if $(OPS),--ops $(OPS)) \
		$(if $(FLAVOUR),--flavour $(FLAVOUR)) $(if $(FS),--fs $(FS)) $(if $(REPLAY),--replay $(REPLAY))

# BUGS=A,B for some of them; see test/model/planted.ts.
planted: system build ## plant bugs in the kernel, one by one: the model test must find each
	@$(BIN)/tsc -p test/model/tsconfig.json
	@$(NODE) build/model/test/model/planted.js $(if $(BUGS),--bugs $(BUGS))

million: build ## a directory of a million files: made, looked up, listed, removed, its RAM given back
	@NAMES=1000000 $(BIN)/vitest run --project node test/scale

small-machine: build ## 32 MiB of RAM on a disk of 4 GiB: a file of 1 GiB and 100,000 small ones
	@MIB=1024 FILES=100000 $(BIN)/vitest run --project node test/scale/small-machine.test.ts

# KILLS, SEED are passed on; see test/fuse/crash.test.ts.
fuse-kills: system build ## kill the server of a mounted image in the middle of writes: 100 times
	@KILLS=$(or $(KILLS),100) $(if $(SEED),SEED=$(SEED)) $(BIN)/vitest run --project node test/fuse/crash.test.ts

fuse-files: system build ## 100,000 files on a mounted image, served by a machine of 32 MiB: found, listed, removed
	@FILES=$(or $(FILES),100000) $(BIN)/vitest run --project node test/fuse/small.test.ts

# CALLS, SEED (the first), REPLAY=SEED[:CALL] are passed on; see test/fuzz/run.ts.
fuzz: build ## random and hostile calls: 5,000,000, on machines of 4 MiB to 64 MiB
	@$(BIN)/tsc -p test/fuzz/tsconfig.json
	@$(NODE) --enable-source-maps build/fuzz/test/fuzz/run.js $(if $(CALLS),--calls $(CALLS)) \
		$(if $(SEED),--first $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

# STATES, SEED, JOBS, PLANT=NAME, REPLAY='{…}' are passed on; see test/crash/run.ts.
crash: system build ## power cuts at every write of all workloads on ext4: 100,000 contents of disks
	@$(BIN)/tsc -p test/crash/tsconfig.json
	@$(NODE) --enable-source-maps build/crash/test/crash/run.js $(if $(STATES),--states $(STATES)) \
		$(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS)) $(if $(PLANT),--plant $(PLANT)) \
		$(if $(REPLAY),--replay '$(REPLAY)')

# IMAGES, SEED (the first), REPLAY=SEED are passed on; see test/hostile/run.ts.
fuzz-images: build ## images damaged in their metadata, mounted, read and written: 20,000
	@$(BIN)/tsc -p test/hostile/tsconfig.json
	@$(NODE) --enable-source-maps build/hostile/test/hostile/run.js $(if $(IMAGES),--images $(IMAGES)) \
		$(if $(SEED),--first $(SEED)) $(if $(REPLAY),--replay $(REPLAY))

# MINUTES, WORKERS, SEED (the first) are passed on; see test/smp/stress.test.ts.
stress: build ## threads on one tree, all operations, for MINUTES (10) each on tmpfs and ext4, with WORKERS (8)
	@MINUTES=$(or $(MINUTES),10) WORKERS=$(or $(WORKERS),8) $(if $(SEED),SEED=$(SEED)) $(BIN)/vitest run --project node test/smp/stress.test.ts

# SEED is passed on; see test/smp/linear.test.ts.
linear: build ## histories of concurrent calls, explained by some order or not: HISTORIES (20000) each on tmpfs and ext4
	@HISTORIES=$(or $(HISTORIES),20000) $(if $(SEED),SEED=$(SEED)) $(BIN)/vitest run --project node test/smp/linear.test.ts

kills: build ## processes killed at random moments: KILLS (10000)
	@KILLS=$(or $(KILLS),10000) $(BIN)/vitest run --project node test/smp/kill.test.ts

# What only the benchmark needs; without them its rows through mounts are left out, with a word.
system-bench: system
	@wanted=; \
	for tool in dbench fio; do command -v $$tool >/dev/null || wanted="$$wanted $$tool"; done; \
	if [ -n "$$wanted" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "apt-get install$$wanted"; \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$wanted >/dev/null; \
		else echo "not installed, and the rows that need them are left out:$$wanted" >&2; fi; \
	fi

# ONLY=fuse: the rows through mounts alone, of which QUICK=1 makes a run of a minute, and ROUNDS=N so many rounds.
bench: system-bench build node-current ## measure beside the peers, and write docs/benchmarks.md
	@$(BIN)/tsc -p test/bench/tsconfig.json
ifneq ($(ONLY),fuse)
	@$(NODE) build/dist/host/cli/main.js bench --json > build/bench.json
	@$(NODE) build/bench/test/bench/publish.js build/bench.json docs
endif
	@$(NODE) build/bench/test/bench/fuse/run.js $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS)) > build/bench-fuse.json
	@$(NODE) build/bench/test/bench/fuse/splice.js build/bench-fuse.json docs

lint: install ## formatting, lint, types of the host and of the kernel
	@$(BIN)/biome check .
	@$(BIN)/tsc -p tsconfig.json
	@$(NODE) assembly/build.mjs --check

format: install ## format what can be
	@$(BIN)/biome check --write .

clean: ## remove what was built
	rm -rf build assembly/kern/stackprobe.ts

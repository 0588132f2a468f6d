# SPDX-License-Identifier: BSD-3-Clause
# For people. Each target installs what it needs and is missing; meson does the building.
BUILD  ?= build
PREFIX ?= /usr/local
ARGS   ?=

.PHONY: all run test check bench pairs fresh fuzz mutate format clean install linux-guest linux-host linux-mock linux-stall

all:
	@tools/setup.sh test
	@[ -e $(BUILD)/build.ninja ] || meson setup --prefix=$(PREFIX) $(BUILD)
	@ninja -C $(BUILD)

run: all
	@$(BUILD)/cli/iopf run $(ARGS)

test: all
	@tools/test.py $(BUILD) $(ARGS)

check:
	@tools/setup.sh test check
	@tools/check.sh $(ARGS)

bench: all
	@$(BUILD)/cli/iopf bench broker $(ARGS)

pairs: all
	@tools/pairs.py --write $(BUILD)/cli/iopf

fresh:
	@tools/setup.sh fresh
	@tools/fresh.sh $(ARGS)

linux-guest linux-host linux-mock linux-stall:
	@tools/setup.sh test linux $(if $(KERNEL_DIR),,kernel) $(if $(filter linux-stall,$@),arm64)
	@[ -e $(BUILD)/build.ninja ] || meson setup --prefix=$(PREFIX) $(BUILD)
	@ninja -C $(BUILD) cli/iopf src/libiopf.a
	@tests/linux/lane.py --build $(BUILD) $(@:linux-%=%) $(ARGS)

fuzz:
	@tools/setup.sh test check
	@tools/fuzz.py $(ARGS)

mutate:
	@tools/setup.sh test
	@tools/mutate.sh $(ARGS)

format:
	@tools/setup.sh check
	@tools/format.py

install: all
	@meson configure -Dprefix=$(PREFIX) $(BUILD)
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) build-check

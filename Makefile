# SPDX-License-Identifier: AGPL-3.0-or-later
# Front door. `make demo` and `make test` set up all that they need themselves.
BUILD ?= build
DIR   ?= demo
OUT   ?= weights

.PHONY: all setup build demo test bench asan fuzz train format install clean
all: build

setup:           ## Debian packages that are missing, libsodium's source, and the build folder
	@sh tools/setup
	@sh tools/libsodium-source build-libsodium || echo 'setup: so the browser module is not built'
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) > /dev/null

build: setup
	@ninja -C $(BUILD) hesabu $$([ -e build-libsodium/complete ] && echo hesabu.wasm)

demo: build      ## an election night of 2017's figures on this machine, with its page
	@$(BUILD)/hesabu demo --dir $(DIR)

test: setup      ## everything: gcc, clang with sanitizers, fuzzing, whole programs; ends with the counts
	@sh tools/test $(BUILD)

bench: setup     ## the performance table, with the machine's own limits beside it
	@sh bench/run $(BUILD)

asan: setup      ## unit tests under AddressSanitizer and UBSan, with clang
	@sh tools/test $(BUILD) asan

fuzz: setup      ## every fuzz target for FUZZ_SECONDS (default 60)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-60} sh tools/test $(BUILD) fuzz

train: build     ## train the reader of digits again: make train DATA=folder of public digit data OUT=folder; CHECK=1 compares with data/reader
	@mkdir -p "$(OUT)"
	@$(BUILD)/hesabu train --data "$(DATA)" --simulate 480 --seed 31 --out "$(OUT)/boxes.bin"
	@$(BUILD)/hesabu train --data "$(DATA)" --boxes "$(OUT)/boxes.bin" --wide --seed 21 --epochs 7 \
	  --out "$(OUT)"
	@[ -z "$(CHECK)" ] || for n in a b; do cmp "$(OUT)/net-$$n.bin" data/reader/net-$$n.bin || exit 1; done
	@[ -z "$(CHECK)" ] || echo "the same bytes as in data/reader"

format:
	@git ls-files 'src/*.[ch]' 'tests/*.[ch]' 'bench/*.[ch]' | xargs clang-format -i

install: build
	@meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) build-asan build-fuzz build-tsan

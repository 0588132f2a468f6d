#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# check.sh [LANE...] - every check that is not a plain test run; without names, all.
# One line a lane, the log of one that failed, and at the end "N passed, N failed".
# A new lane is a function lane_NAME and its name in the list below; what it has to say
# when it passes goes to 3.
set -u
cd "$(dirname "$0")/.." || exit 1

lanes="arrows style docs format mutants freestanding gcc-O0 gcc-O2 headers install bench
	clang-O0 clang-O2 sanitizers fuzz threads aarch64 riscv64 s390x i686 analyzer tidy cppcheck"

work=build-check
log=$work/logs
mkdir -p "$log"
core="base wire table queue judge broker guest"

# setup NAME [SETUP ARGUMENT...]: a build directory, kept for the next time.
setup()
{
	local dir=$work/$1
	shift
	[ -e "$dir/build.ninja" ] || meson setup "$@" "$dir"
}

# build NAME [SETUP ARGUMENT...]
build() { setup "$@" && ninja -C "$work/$1"; }

# build_and_test NAME "TEST ARGUMENTS" [SETUP ARGUMENT...]
build_and_test()
{
	local name=$1 arguments
	eval "arguments=($2)"
	shift 2
	build "$name" "$@" && tools/test.py "$work/$name" "${arguments[@]}"
}

# Other lanes look at what these two build. The first is what 'make test' builds, and has
# tested: gcc with -O2.
plain=build
gcc-O2() { { [ -e $plain/build.ninja ] || meson setup $plain; } && ninja -C $plain; }
clang-O2() { CC=clang build clang-O2 -Doptimization=2 -Ddebug=false; }

# Whole worlds, in every pair of families, are played by what gcc makes with -O2 ('make
# test'), and by what clang makes with -O1 for the sanitizers.
rooms="--no-suite scenario --no-suite cli"
lane_gcc-O0() { CC=gcc build_and_test gcc-O0 "$rooms" -Doptimization=0 -Ddebug=false; }
lane_gcc-O2() { gcc-O2; }
# What it warns of; what it makes of the code is tested with -O1 and -O2.
lane_clang-O0() { CC=clang build clang-O0 -Doptimization=0 -Ddebug=false; }
# shellcheck disable=SC2086
lane_clang-O2() { clang-O2 && tools/test.py $work/clang-O2 $rooms; }

lane_sanitizers()
{
	ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 CC=clang \
	build_and_test sanitizers "--timeout-multiplier 4" -Doptimization=1 \
		-Db_sanitize=address,undefined -Db_lundef=false
}

# Without address randomization: this runtime stops where a kernel uses 32 bits of it.
# Only what runs in threads is built.
lane_threads()
{
	local options=(--suite threads --timeout-multiplier 8) programs
	setarch -R true 2>/dev/null && options+=("--wrapper=setarch -R")
	CC=gcc setup threads -Doptimization=1 -Db_sanitize=thread -Db_lundef=false || return
	programs=$(meson introspect --tests $work/threads | python3 -c '
import json, os, sys
build = os.path.abspath(sys.argv[1])
print(*(os.path.relpath(test["cmd"][0], build) for test in json.load(sys.stdin)
        if any(suite.endswith("threads") for suite in test["suite"])))' $work/threads)
	ninja -C $work/threads $programs && tools/test.py $work/threads "${options[@]}"
}

cross()
{
	build_and_test "$1" "--timeout-multiplier 8" --cross-file "tools/cross/$1.ini" \
		-Drooms=core -Doptimization=2
}
lane_aarch64() { cross aarch64; }
lane_riscv64() { cross riscv64; }
lane_s390x() { cross s390x; }
lane_i686() { cross i686; }

# Nothing undefined but what a hypervisor or a firmware has anyway, and each other.
lane_freestanding()
{
	local dir=$work/freestanding file object extra
	rm -rf "$dir" && mkdir -p "$dir" || return 1
	for room in $core; do
		for file in src/"$room"/*.c; do
			[ -e "$file" ] || continue
			[ "$file" != src/judge/read.c ] || continue # reads files, with trace
			object=$dir/$room-$(basename "$file" .c).o
			gcc -std=c11 -O2 -ffreestanding -fno-stack-protector -fno-pie \
				-D_GNU_SOURCE -DIOPF_VERSION='""' -Iinclude -Isrc \
				-c "$file" -o "$object" || return 1
		done
	done
	nm --defined-only "$dir"/*.o | awk 'NF == 3 { print $3 }' | sort -u >"$dir/defined"
	printf '%s\n' __assert_fail memcmp memcpy memmove memset | sort >>"$dir/defined"
	extra=$(nm --undefined-only "$dir"/*.o | awk 'NF == 2 { print $2 }' | sort -u |
		grep -vxFf "$dir/defined")
	[ -z "$extra" ] || { echo "needs more than a freestanding place has:" $extra; false; }
}

# Each target for a moment: what a long run would find at once. 'make fuzz' has time.
lane_fuzz() { tools/fuzz.py --seconds 2; }

lane_arrows() { tools/check-arrows.py; }
lane_style() { tools/check-style.py; }
lane_docs() { tools/check-docs.py && mandoc -T lint -W warning docs/man/*; }
# They follow the code: whether each is killed, tools/mutate.sh finds out.
lane_mutants()
{
	local mutant left=0
	for mutant in tests/mutants/*.patch; do
		git apply -C1 --check "$mutant" 2>/dev/null ||
			{ echo "$mutant does not apply"; left=1; }
	done
	return $left
}

lane_format() { tools/format.py --check; }
lane_headers() { gcc-O2 && tools/check-header.py $plain/src; }

# Does it run, and is it of the right order? 'make bench' is for judging a figure: a machine
# that others use gets half as much again, and three tries.
lane_bench()
{
	gcc-O2 || return
	for _ in 1 2 3; do
		$plain/cli/iopf bench --json --seconds 0.5 | python3 -c '
import json, sys
results = json.load(sys.stdin)["results"]
print("   ", ", ".join("{name}: ratio {ratio:.1f}, limit {limit:g}".format(**result)
                       for result in results))
sys.exit(any(result["ratio"] > 1.5 * result["limit"] for result in results) or not results)
' >&3 && return
	done
	return 1
}

# What is installed is enough: each header alone in C and C++, a program linked both ways.
lane_install()
{
	local root=$PWD/$work/install user=$work/install/user header names
	gcc-O2 || return
	rm -rf "$root"
	DESTDIR=$root meson install --no-rebuild -C $plain || return 1
	export PKG_CONFIG_SYSROOT_DIR=$root
	PKG_CONFIG_PATH=$(dirname "$(find "$root" -name libiopf.pc)")
	export PKG_CONFIG_PATH
	for header in include/iopf/*.h; do
		echo "#include <${header#include/}>" >"$user.c"
		gcc -std=c11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags libiopf) \
			-c "$user.c" -o "$user.o" &&
			clang -x c++ -std=c++11 -Wall -Wextra -Werror \
				$(pkg-config --cflags libiopf) -fsyntax-only "$user.c" || return 1
	done
	cat >"$user.c" <<-'END'
		#include <iopf/iopf.h>
		int main(void) { return iopf_version()[0] == 0; }
	END
	gcc $(pkg-config --cflags libiopf) "$user.c" $(pkg-config --libs libiopf) -o "$user" &&
		LD_LIBRARY_PATH=$(dirname "$(find "$root" -name libiopf.so)") "$user" &&
		gcc -static $(pkg-config --cflags libiopf) "$user.c" \
			$(pkg-config --static --libs libiopf) -o "$user" && "$user"
}

lane_analyzer()
{
	find src cli -name '*.c' -print0 |
		xargs -0 -r -n 1 -P "$(nproc)" gcc -std=c11 -O1 -fanalyzer -Werror \
			-D_GNU_SOURCE -DIOPF_VERSION='""' -DIOPF_SCENARIOS='""' \
			-Iinclude -Isrc -I. -c -o /dev/null
}

lane_tidy()
{
	clang-O2 || return
	find src cli -name '*.c' -print0 |
		xargs -0 -r -n 4 -P "$(nproc)" clang-tidy --quiet -p $work/clang-O2
}

# uninitvar: it does not see that a loop fills an array; the compilers do.
lane_cppcheck()
{
	cppcheck -j "$(nproc)" --quiet --error-exitcode=1 --std=c11 --inline-suppr \
		--enable=warning,portability --suppress=missingIncludeSystem \
		--suppress=uninitvar -D_GNU_SOURCE -DIOPF_VERSION='""' -DIOPF_SCENARIOS='""' \
			-Iinclude -Isrc -I. src cli
}

passed=0 failed=0
for lane in ${*:-$lanes}; do
	declare -F "lane_$lane" >/dev/null || {
		echo "check.sh: no lane '$lane'; there are:" $lanes >&2
		exit 2
	}
	start=$SECONDS
	if (lane_"$lane") </dev/null 3>&1 >"$log/$lane" 2>&1; then
		passed=$((passed + 1)) verdict=ok
	else
		failed=$((failed + 1)) verdict=FAILED
	fi
	printf '%-6s %-12s %4d s\n' $verdict "$lane" $((SECONDS - start))
	[ $verdict = ok ] || tail -n 60 "$log/$lane" | sed 's/^/    /'
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]

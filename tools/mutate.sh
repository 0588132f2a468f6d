#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# mutate.sh [-n COUNT | NAME...] - does each test notice when its check is taken away?
# A mutant is tests/mutants/NAME.patch: first a line "Test: NAME OF A MESON TEST", then a
# sentence why, then the patch. Each is applied to a copy of the tree, built, and killed if
# that test fails; one that survives, does not apply or does not build counts as failed.
# -n: some of them, which ones the commit decides. Last line: "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1

if [ "${1:-}" = -n ]; then
	mutants=$(ls tests/mutants/*.patch 2>/dev/null |
		sort -R --random-source=<(yes "$(git rev-parse HEAD)") | head -n "$2")
elif [ $# -gt 0 ]; then
	mutants=$(printf 'tests/mutants/%s.patch\n' "$@")
else
	mutants=$(ls tests/mutants/*.patch 2>/dev/null)
fi
for mutant in $mutants; do
	[ -r "$mutant" ] || { echo "mutate.sh: there is no $mutant" >&2; exit 2; }
done

copy=$(mktemp -d) || exit 3
trap 'rm -rf "$copy"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
log=$copy/log

# What is committed and what is not, but nothing that is built.
git ls-files -z --cached --others --exclude-standard |
	xargs -0 sh -c 'for f; do [ ! -e "$f" ] || cp --parents "$f" "$0"; done' "$copy"
export GIT_CEILING_DIRECTORIES=${copy%/*}

test_of() { sed -n 's/^Test: *//p;/^---/q' "$1"; }
fails() { ! meson test -C "$copy/build" --no-rebuild "$1" </dev/null >"$log" 2>&1; }
build() { ninja -C "$copy/build" >"$log" 2>&1 </dev/null; }
patch() { git -C "$copy" apply -C1 "$@" "$PWD/$mutant"; }

# Prints the verdict about $mutant.
try()
{
	local test
	test=$(test_of "$mutant")
	[ -n "$test" ] || { echo "names no test"; return; }
	patch 2>"$log" || { echo "does not apply"; return; }
	if ! build; then
		echo "does not build"
	elif fails "$test"; then
		echo "killed by $test"
	else
		echo "survives $test"
	fi
	patch -R
}

passed=0 failed=0
meson setup "$copy/build" "$copy" >"$log" 2>&1 && build || {
	tail -n 30 "$log"
	echo "0 passed, 1 failed"
	exit 1
}
for test in $(for mutant in $mutants; do test_of "$mutant"; done | sort -u); do
	if fails "$test"; then
		echo "FAILED $test fails without any mutant"
		tail -n 30 "$log"
		failed=$((failed + 1))
	fi
done
for mutant in $mutants; do
	name=$(basename "$mutant" .patch)
	verdict=$(try)
	case $verdict in
	killed*) passed=$((passed + 1)); echo "ok $name: $verdict" ;;
	*) failed=$((failed + 1)); echo "FAILED $name: $verdict"; tail -n 20 "$log" ;;
	esac
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]

#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# setup.sh GROUP... - installs the Debian packages that are missing, and says which.
# Groups: test check linux kernel arm64 fresh. Nothing missing: no call of apt. Exit 3: it cannot.
set -eu

test="gcc libc6-dev meson ninja-build pkgconf libjansson-dev libpci-dev pciutils"
check="clang libclang-rt-14-dev clang-format clang-tidy cppcheck binutils mandoc \
gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross \
gcc-riscv64-linux-gnu libc6-dev-riscv64-cross gcc-i686-linux-gnu libc6-dev-i386-cross \
qemu-user-static"
arm64="qemu-system-arm device-tree-compiler gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
linux="qemu-system-x86 acpica-tools make gcc libc6-dev binutils libelf1 xz-utils"
kernel="flex bison bc libelf-dev libssl-dev"
fresh="debootstrap git"

wanted=
for group; do
	case $group in
	test) wanted="$wanted $test" ;;
	check) wanted="$wanted $check" ;;
	linux) wanted="$wanted $linux" ;;
	arm64) wanted="$wanted $arm64" ;;
	kernel) wanted="$wanted $kernel" ;;
	fresh) wanted="$wanted $fresh" ;;
	*)
		echo "setup.sh: no group '$group'; there are: test check linux kernel arm64" \
			"fresh" >&2
		exit 2
		;;
	esac
done

if ! command -v apt-get >/dev/null; then
	echo "setup.sh: no apt here; going on with what is there. Debian's names of what" \
		"is needed:$wanted" >&2
	exit 0
fi

# The words are package names: they are to be split.
# shellcheck disable=SC2086
there=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null || true)
missing=
for package in $wanted; do
	case "
$there
" in
	*"
$package installed
"*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	echo "setup.sh: missing packages, and neither root nor sudo to install them:" >&2
	echo "  apt-get install --no-install-recommends$missing" >&2
	exit 3
fi

install()
{
	# shellcheck disable=SC2086
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
		--no-install-recommends $missing >/dev/null
}

echo "setup.sh: installing with apt (a minute or so):$missing" >&2
# The lists of packages may be missing or old: only then are they fetched.
install 2>/dev/null || { $as_root apt-get update -qq && install; } || {
	echo "setup.sh: apt could not install:$missing" >&2
	exit 3
}

#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# fresh.sh [COMMAND...] - commands in a new minimal Debian 12 with git and make in it; without
# any, the README's two.
# The last commit is cloned there; nothing of this machine is used but its kernel and its
# apt mirror. Everything made here is gone afterwards, also on Ctrl-C. Exit 3: it cannot.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "fresh.sh: needs root or sudo" >&2; exit 3; }
	exec sudo "$0" "$@"
fi
command -v debootstrap >/dev/null || {
	echo "fresh.sh: needs the package debootstrap" >&2
	exit 3
}

# A mount and process name space of its own: mounts and processes end with this script.
if [ "${IOPF_FRESH_ROOT:-}" = "" ]; then
	IOPF_FRESH_ROOT=$(mktemp -d "${TMPDIR:-/var/tmp}/iopf-fresh.XXXXXX")
	export IOPF_FRESH_ROOT
	clean() { rm -rf --one-file-system "$IOPF_FRESH_ROOT" "$IOPF_FRESH_ROOT.log"; }
	trap 'clean || { sleep 1; clean; }' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	unshare --mount --propagation private --pid --fork --kill-child true || {
		echo "fresh.sh: this place does not allow name spaces (CAP_SYS_ADMIN)" >&2
		exit 3
	}
	unshare --mount --propagation private --pid --fork --kill-child "$0" "$@" &
	child=$!
	# unshare itself ignores both signals; when it is killed, so is all that is inside.
	trap 'kill -KILL $child; wait $child 2>/dev/null || true; exit 130' INT
	trap 'kill -KILL $child; wait $child 2>/dev/null || true; exit 143' TERM
	status=0
	wait $child || status=$?
	exit $status
fi

root=$IOPF_FRESH_ROOT
mirror=$(tools/mirror.sh)

inside() { chroot "$root" env -i HOME=/root PATH="$PATH:/usr/sbin:/sbin" TERM=dumb "$@"; }

echo "== a minimal Debian 12 from $mirror"
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || {
	tail -n 20 "$root.log"
	rm -f "$root.log"
	exit 3
}
rm -f "$root.log"
chmod 755 "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/apt/apt.conf.d/*proxy*; do
	[ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"
done
git -c safe.directory="$PWD" bundle create -q "$root/tmp/libiopf.bundle" HEAD

echo "== git and make"
inside apt-get update -qq >/dev/null
inside env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	git make >/dev/null
inside git -c advice.detachedHead=false clone -q /tmp/libiopf.bundle /root/libiopf

status=0
[ $# -gt 0 ] || set -- 'make run ARGS="--seconds 3"' 'make test'
for command; do
	echo "== $command"
	start=$SECONDS
	inside sh -c "cd /root/libiopf && $command" </dev/null || status=1
	echo "== $((SECONDS - start)) s"
done
left=$(inside git -C /root/libiopf status --porcelain)
[ -z "$left" ] || { echo "== left in the tree: $left"; status=1; }
[ $status = 0 ] && echo "== a fresh Debian 12 does it" || echo "== FAILED in a fresh Debian 12"
exit $status

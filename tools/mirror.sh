#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# mirror.sh [security] - the Debian mirror that this machine's own apt sources name, or the
# one of security updates; where none is named, the place beside the first. Exit 3: none.
set -eu

# address NAME: the first source whose path ends so.
address()
{
	grep -rhoE "^(URIs:|deb( \[[^]]*\])?) +https?://[^ ]+/$1/?( |\$)" \
		/etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
		grep -oE 'https?://[^ ]+' | sed 's,/$,,' | head -n 1
}

mirror=$(address debian)
if [ "${1:-}" = security ]; then
	security=$(address debian-security)
	mirror=${security:-${mirror:+$mirror-security}}
fi
[ -n "$mirror" ] || {
	echo "mirror.sh: apt's sources on this machine name no Debian mirror" >&2
	exit 3
}
echo "$mirror"

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kernel.py guest|host|mock|stall... - Linux kernels for the lanes: a packaged one, built ones.

guest  the newest 6.12 of Debian 12's security suite, as its package has it
host   the newest linux-source of Debian 13's backports, built with kernel.config
mock   linux-source-6.12 of Debian 12's security suite, built with kernel.config
stall  as host, for arm64, built with kernel-arm64.config

Packages come by apt from the mirror that the machine's own sources name, with lists and
sources of their own: nothing of the machine's apt changes, and no root is needed. Results
stay in the user's cache. KERNEL_DIR=TREE takes a kernel tree that is built already
(its arch/x86/boot/bzImage) in the place of those that would be built.
"""
import contextlib
import dataclasses
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = HERE.parent.parent / "tools"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache",
                     "libiopf")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DAY, MONTH = 86400, 30 * 86400
FLAVOUR = "deb12-cloud-amd64"

# Wishes of kernel.config that a series does not know: symbols younger than it.
UNKNOWN = {"6.12": {"CONFIG_DEBUG_GENERIC_PT", "CONFIG_IOMMU_PT_AMDV1"}}


@dataclasses.dataclass(frozen=True)
class Architecture:
    name: str
    fragment: pathlib.Path
    image: str
    tools: str = ""

    def options(self):
        return (f"ARCH={self.name}", *[f"CROSS_COMPILE={self.tools}"] * bool(self.tools))

    def toolchain(self):
        return "".join(run(self.tools + name, "--version").splitlines()[0]
                       for name in ("gcc", "ld"))


X86 = Architecture("x86_64", HERE / "kernel.config", "arch/x86/boot/bzImage")
ARM64 = Architecture("arm64", HERE / "kernel-arm64.config", "arch/arm64/boot/Image.gz",
                     "aarch64-linux-gnu-")


class Missing(Exception):
    """Something that is needed cannot be had: what, and how to get it."""


class Failed(Missing):
    """A command that is there ran, and failed."""


@dataclasses.dataclass(frozen=True)
class Kernel:
    version: str           # as the package names it
    image: pathlib.Path    # what QEMU boots
    tree: pathlib.Path     # modules are built with make -C here
    headers: pathlib.Path  # of user space; may not be there
    tools: str = ""        # what the names of its compiler and its binutils begin with
    options: tuple = ()    # of make, for modules

    def __str__(self):
        return f"Linux {self.version}"


def say(text):
    print(f"kernel.py: {text}", file=sys.stderr, flush=True)


def run(*command, **options):
    """Returns: what the command printed. It and its children end with us, even if killed."""
    command = [*map(str, command)]
    if shutil.which(command[0]) is None:
        raise Missing(f"no program {command[0]}: tools/setup.sh linux kernel")
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", *command], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, process_group=0, **options)
    try:
        output, errors = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    if process.returncode != 0:
        last = (errors or output).strip().splitlines()[-12:]
        raise Failed("\n  ".join([f"failed: {' '.join(command)}", *last]))
    return output


def end_on_signals():
    """The first one ends us, after cleaning up; more of them do not cut that short."""
    numbers = signal.SIGHUP, signal.SIGINT, signal.SIGTERM

    def end(number, _):
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        sys.exit(128 + number)

    for each in numbers:
        signal.signal(each, end)


@contextlib.contextmanager
def locked(name):
    """One process at a time; the others wait and then find the work done."""
    (CACHE / "lock").mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock" / name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process makes {name}; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def step(text):
    start = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - start:.0f} s")


class Suite:
    """An apt of one suite: its own sources, lists and archives; the machine's proxies."""

    def __init__(self, suite):
        self.suite = suite
        self.root = CACHE / "apt" / suite
        self.mirror = run(TOOLS / "mirror.sh", *["security"] * suite.endswith("-security")).strip()
        self.options = [f"-oDir::{name}={self.root / path}" for name, path in {
            "Etc::SourceList": "sources.list", "Etc::SourceParts": "none",
            "State::Lists": "lists", "Cache": "cache"}.items()]
        with locked(f"apt-{suite}"):
            self.refresh()

    def refresh(self):
        """Lists are fetched once a day; without a network yesterday's will do."""
        stamp = self.root / "fetched"
        for path in "lists/partial", "cache/archives/partial":
            (self.root / path).mkdir(parents=True, exist_ok=True)
        (self.root / "sources.list").write_text(
            f"deb [signed-by={KEYRING}] {self.mirror} {self.suite} main\n")
        if stamp.exists() and time.time() - stamp.stat().st_mtime < DAY:
            return
        say(f"lists of {self.suite} from {self.mirror}, into {self.root}")
        try:
            run("apt-get", *self.options, "-q", "update", "--error-on=any")
            stamp.touch()
        except Missing as error:
            if not stamp.exists():
                raise Missing(f"{error}\n  A key that apt does not know: the package "
                              "debian-archive-keyring is older than the suite; "
                              "apt-get install debian-archive-keyring") from error
            say(f"{self.suite} cannot be had now; its lists are those of "
                f"{time.strftime('%F', time.localtime(stamp.stat().st_mtime))}")

    def newest(self, pattern):
        """The package whose name is of @pattern with the highest numbers in its group 1."""
        names = run("apt-cache", *self.options, "pkgnames").split()
        found = [(tuple(map(int, match[1].split("."))), match[0])
                 for match in map(re.compile(pattern).fullmatch, names) if match]
        if not found:
            raise Missing(f"no package {pattern} in {self.suite} of {self.mirror}")
        return max(found)[1]

    def version(self, package):
        shown = run("apt-cache", *self.options, "show", "--no-all-versions", package)
        return re.search(r"^Version: (\S+)$", shown, re.M)[1]

    def unpack(self, packages, directory):
        """Downloads @packages and unpacks what is in them below @directory."""
        with step(f"downloading {' '.join(packages)}"):
            run("apt-get", *self.options, "-q", "download", *packages, cwd=directory)
        for archive in directory.glob("*.deb"):
            run("dpkg", "-x", archive, directory)
            archive.unlink()


def cached(directory, make):
    """
    @directory, made by make(path) if it is not there: beside its place, then renamed, so
    that it is whole or absent. What nobody has used for a month goes.
    """
    with locked(directory.name):
        if not directory.exists():
            growing = directory.with_name(directory.name + ".growing")
            shutil.rmtree(growing, ignore_errors=True)
            growing.mkdir(parents=True)
            try:
                make(growing)
                growing.rename(directory)
            finally:
                shutil.rmtree(growing, ignore_errors=True)
        os.utime(directory)
    for other in directory.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another process may be at work there
            if time.time() - other.stat().st_mtime > MONTH:
                shutil.rmtree(other, ignore_errors=True)
    return directory


def packaged():
    """The guest's kernel: Debian's binary, and what modules for it are built with."""
    suite = Suite("bookworm-security")
    image = suite.newest(rf"linux-image-(6\.12\.\d+)\+{FLAVOUR}")
    release = image.removeprefix("linux-image-")
    series = release.removesuffix("-cloud-amd64")
    version = suite.version(image)
    directory = CACHE / "kernel" / f"{release}-{version}"
    headers = f"usr/src/linux-headers-{release}"

    def make(growing):
        suite.unpack([image, f"linux-headers-{release}", f"linux-headers-{series}-common",
                      f"linux-kbuild-{series}"], growing)
        shutil.rmtree(growing / "lib" / "modules")  # the guest needs none of them
        (growing / headers / "Makefile").write_text(
            f"include {directory}/usr/src/linux-headers-{series}-common/Makefile\n")

    cached(directory, make)
    return Kernel(f"{version} ({release})", directory / f"boot/vmlinuz-{release}",
                  directory / headers, directory / "usr/include")


def wishes(text):
    """{symbol: value} of a configuration; a symbol that is not set has the value n."""
    unset = re.findall(r"^# (CONFIG_\w+) is not set$", text, re.M)
    return {**dict.fromkeys(unset, "n"), **dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.M))}


def dropped(series, architecture, config):
    """The wishes of @architecture's fragment that @config does not fulfil."""
    got = wishes(config.read_text())
    return {symbol for symbol, value in wishes(architecture.fragment.read_text()).items()
            if got.get(symbol, "n") != value} - UNKNOWN.get(series, set())


def build(suite, package, architecture, directory):
    """A kernel from a source package. Kept: image, configuration, headers, tree for modules."""
    series = package.removeprefix("linux-source-")
    source, tree = directory / f"source/linux-source-{series}", directory / "build"
    make = functools.partial(run, "nice", "-n", "5", "make", "-s", "-C", source, f"O={tree}",
                             *architecture.options(), f"-j{os.cpu_count()}")
    (directory / "source").mkdir()
    suite.unpack([package], directory)
    with step("unpacking"):
        run("tar", "-xf", directory / f"usr/src/linux-source-{series}.tar.xz", "-C",
            directory / "source")
        shutil.rmtree(directory / "usr")
    make(f"KCONFIG_ALLCONFIG={architecture.fragment}", "allnoconfig")
    if lost := dropped(series, architecture, tree / ".config"):
        raise Missing(f"{package} drops wishes of {architecture.fragment}: "
                      f"{' '.join(sorted(lost))}")
    with step("building"):
        make(pathlib.Path(architecture.image).name, "modules", "headers")
    # Modules are built here: what the script takes for the target's compiler is this machine's.
    make("run-command",
         "KBUILD_RUN_COMMAND=+CC='$(HOSTCC)' $(srctree)/scripts/package/install-extmod-build "
         + str(directory / "tree"))
    shutil.copytree(tree / "usr/include", directory / "include",
                    ignore=lambda where, names: [name for name in names
                                                 if pathlib.Path(where, name).is_file()
                                                 and not name.endswith(".h")])
    shutil.copy(tree / architecture.image, directory)
    shutil.copy(tree / ".config", directory / "config")
    shutil.rmtree(tree)
    shutil.rmtree(directory / "source")


def built(suite_name, pattern, architecture=X86):
    """A kernel of our own configuration."""
    if (own := os.environ.get("KERNEL_DIR")) and architecture is X86:
        tree = pathlib.Path(own).resolve()
        image = tree / architecture.image
        if not image.exists():
            raise Missing(f"KERNEL_DIR: there is no {image}: make bzImage modules headers")
        return Kernel(str(tree), image, tree, tree / "usr/include")
    suite = Suite(suite_name)
    package = suite.newest(pattern)
    version = suite.version(package)
    key = hashlib.sha256("\n".join([version, architecture.fragment.read_text(),
                                    architecture.toolchain()]).encode())
    directory = CACHE / "kernel" / f"{package}-{version}-{key.hexdigest()[:12]}"

    def make(growing):
        say(f"{package} {version}: some minutes, once; it stays in {directory}")
        build(suite, package, architecture, growing)

    cached(directory, make)
    return Kernel(version, directory / pathlib.Path(architecture.image).name, directory / "tree",
                  directory / "include", architecture.tools, architecture.options())


KERNELS = {
    "guest": packaged,
    "host": lambda: built("trixie-backports", r"linux-source-(\d+\.\d+)"),
    "mock": lambda: built("bookworm-security", r"linux-source-(6\.12)"),
    "stall": lambda: built("trixie-backports", r"linux-source-(\d+\.\d+)", ARM64),
}


def main():
    if sys.argv[1:] == ["--help"]:
        print(__doc__)
        return 0
    names = sys.argv[1:]
    if not names or not set(names) <= set(KERNELS):
        print(__doc__, file=sys.stderr)
        return 2
    end_on_signals()
    try:
        for name in names:
            print(KERNELS[name]().image)
    except Missing as error:
        say(error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())

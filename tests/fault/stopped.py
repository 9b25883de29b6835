#!/usr/bin/env python3
"""SIGTERM while a command is inside of its longest work, or waits: it ends with exit 143 within a second, the stream is
what it was, nobody holds a lock, nothing of it runs on, and the same command run again does its work and leaves nothing
behind.

  stopped.py --bin DIR [--no-failpoints] [--self-test] [NAME]...

  NAME             only these lines of the table
  --no-failpoints  the programs have none: only waits for locks, servers and other programs
  --self-test      turn 143 into 1, and succeed only when every case notices

Where the signal comes says the table: while the commit lock is waited for, while a server has the request and does not
answer, or while the process stands still before a call of ours (see src/base/failpoint.h).
"""
import argparse
import contextlib
import fcntl
import functools
import glob
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bin")
BIG = "noble/amd64/20240301/squashfs"
# By builders, verify and the rotation of keys, beside the stream.
KEPT = {"build", "build.lock", "cache", "cloudimg-sync.lock", "rotation.json", "verified"}
AFTERWARDS = 100  # calls of ours that a command may make once it has been stopped
PATIENCE = 30  # seconds until a command has to have come to its place


class Place:
    """Where a command is when the signal comes: what it is given for that, and a wait until it is there."""

    env = {}

    @contextlib.contextmanager
    def ready(self, world):
        yield

    def wait(self, world, process):
        raise NotImplementedError


class Lock(Place):
    """Somebody holds the commit lock of the target; the command says that it waits."""

    @contextlib.contextmanager
    def ready(self, world):
        with open(os.path.join(world.target, ".data/.sstream/commit.lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def wait(self, world, process):
        while b"waiting for " not in process.stderr.readline():
            if process.poll() is not None:
                raise streams.Broken("never waited for the lock")


class Call(Place):
    """Before the Nth call, reads among them, of which "CALL OBJECT" contains a text (without a colon); few may follow."""

    def __init__(self, number, text):
        self.env = {"SS_FAILPOINT": "%d:stop:%s" % (number, text)}

    @contextlib.contextmanager
    def ready(self, world):
        self.calls = 0
        world.forget_calls()
        yield
        if world.calls() > self.calls + AFTERWARDS:
            raise streams.Broken("%d calls after the signal" % (world.calls() - self.calls))

    def wait(self, world, process):
        seen = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if seen.si_code != os.CLD_STOPPED:
            raise streams.Broken("never came to its call: %s" % process.communicate()[1].decode(errors="replace")[-500:])
        self.calls = world.calls()


class Child(Call):
    """While a program that it runs does not end (see images())."""

    def __init__(self):
        self.env = {"STOP_PARENT": "1"}


class Request(Place):
    """A server has been asked for what contains a text, and does not answer."""

    def __init__(self, text):
        self.text = text

    @contextlib.contextmanager
    def ready(self, world):
        world.asked.clear()
        world.answer.clear()
        world.stalls = self.text
        yield
        world.stalls = None
        world.answer.set()

    def wait(self, world, process):
        while not world.asked.wait(0.01):
            if process.poll() is not None:
                raise streams.Broken("never asked: %s" % process.communicate()[1].decode(errors="replace")[-500:])


class Handler(http.server.SimpleHTTPRequestHandler):
    """What is below a directory; a request that is to wait does."""

    def __init__(self, *arguments, world, **more):
        self.world = world
        super().__init__(*arguments, directory=world.work, **more)

    def send_head(self):
        if self.world.stalls and self.world.stalls in self.path:
            self.world.asked.set()
            self.world.answer.wait(PATIENCE)
        return super().send_head()

    def log_message(self, *_):
        pass


class World:
    def __init__(self, binaries):
        self.bin = os.path.abspath(binaries)
        self.keys = streams.Keys()
        self.work = tempfile.mkdtemp(prefix="stopped-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.base, self.source, self.target, self.tmp = map(self.path, ("base", "source", "target", "tmp"))
        self.env = dict(self.keys.env, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", TMPDIR=self.tmp, LC_ALL="C.UTF-8",
                        MAAS_CLOUDIMG2EPH2=self.path("builder"))
        self.asked, self.answer, self.stalls = threading.Event(), threading.Event(), None
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, world=self))
        server.daemon_threads, server.handle_error = True, lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/" % server.server_port
        os.mkdir(self.tmp)
        streams.make(self.base, ["202301%02d" % day for day in range(1, 9)])
        streams.make(self.path("small"), ["20240101"])
        streams.make(self.source, ["202402%02d" % day for day in range(1, 13)])
        for root in (self.base, self.source, self.path("small")):
            self.check(self.start("meph2-util", "sign", root))
        self.check(self.start("meph2-util", "insert", self.path("small"), self.base))

    def path(self, name):
        return os.path.join(self.work, name)

    def close(self):
        self.keys.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def forget_calls(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path("calls"))

    def calls(self):
        """How many the last command has made that was told to log them."""
        with contextlib.suppress(FileNotFoundError), open(self.path("calls"), "rb") as log:
            return sum(1 for _ in log)
        return 0

    def start(self, program, *words, **env):
        return subprocess.Popen([os.path.join(self.bin, program), *words], env=dict(self.env, **env), cwd=self.work,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                start_new_session=True)

    @staticmethod
    def check(process, codes=(0,)):
        error = process.communicate(timeout=120)[1].decode(errors="replace")
        if process.returncode not in codes:
            raise streams.Broken("%s: exit %d: %s" % (process.args[1], process.returncode, error[-500:]))

    def seen(self):
        """What readers see of the target, signed or plain; None where there is no stream."""
        there = [name for name, (_, suffix) in streams.READERS.items()
                 if os.path.exists(os.path.join(self.target, "streams/v1/index" + suffix))]
        signed = "sjson" in there
        return there and (signed, streams.read_all(self.target, self.keys.keyring,
                                                   streams.READERS if signed else {"json": streams.READERS["json"]}))

    def check_nothing_held(self, process):
        for name in glob.glob(os.path.join(self.target, ".data/.sstream/**/*lock"), recursive=True):
            with open(name, "a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    raise streams.Broken("%s is held" % name) from None
        for name in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError), open(name) as file:
                state, _, _, session = file.read().rpartition(")")[2].split()[:4]
                if int(session) == process.pid and state != "Z":
                    raise streams.Broken("%s runs on" % name)

    def check_nothing_left(self, staged=()):
        left = os.listdir(self.tmp) + list(staged)
        if os.path.exists(os.path.join(self.target, ".data/.sstream")):
            left += set(streams.leftovers(self.target)) - KEPT
        for top, _, files in os.walk(os.path.join(self.target, ".data/.sstream/build")):
            left += [os.path.join(top, name) for name in files]
        if left:
            raise streams.Broken("left behind: %s" % left)


class Case:
    """A command, what it works on, and where it is stopped."""

    def __init__(self, words, place, program="meph2-util", prepare=None, fresh=False, again=(0,), needs=()):
        self.words, self.place, self.program = words, place, program
        self.prepare = prepare or (lambda world: None)
        self.fresh = fresh    # the target is not there yet
        self.again = again    # exits of a run that does its work
        self.needs = needs    # programs

    def start(self, world, **env):
        return world.start(self.program, *(word.format(w=world) for word in self.words), **env)

    def run(self, world, wrong):
        """Seconds from the signal to the end."""
        if not self.fresh:
            shutil.copytree(world.base, world.target, symlinks=True)
        self.prepare(world)
        before = world.seen()
        process = None
        try:
            with self.place.ready(world):
                process = self.start(world, SS_FAILPOINT_LOG=world.path("calls"), **self.place.env)
                watch = threading.Timer(PATIENCE, process.kill)
                watch.start()
                self.place.wait(world, process)
                watch.cancel()
                start = time.monotonic()
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
                try:
                    error = process.communicate(timeout=1)[1].decode(errors="replace")
                except subprocess.TimeoutExpired:
                    raise streams.Broken("still there a second after the signal") from None
                took = time.monotonic() - start
            if process.returncode != 143 or wrong:
                raise streams.Broken("exit %d, not 143: %s" % (1 if wrong else process.returncode, error))
            if world.seen() != before:
                raise streams.Broken("the stream has changed")
            world.check_nothing_held(process)
            world.check_nothing_left()
            world.check(self.start(world), self.again)
            world.seen()
            world.check_nothing_left(glob.glob(os.path.join(world.target, ".data/.sstream/txn/*")))
            return took
        finally:
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()
            for name in (world.target, world.tmp):
                shutil.rmtree(name, ignore_errors=True)
            os.mkdir(world.tmp)


def big(root):
    """A content with a file that takes many reads."""
    size, digest = 128 << 20, hashlib.sha256()
    for _ in range(size >> 20):
        digest.update(bytes(1 << 20))
    streams.make(root, ["20240301"], content="com.example:big")
    with open(os.path.join(root, BIG), "wb") as file:
        file.truncate(size)
    document = os.path.join(root, "streams/v1/com.example:big.json")
    with open(document) as file:
        tree = json.load(file)
    for product in tree["products"].values():
        item = product["versions"]["20240301"]["items"]["squashfs"]
        item["size"], item["sha256"] = size, digest.hexdigest()
    streams.write(document, streams.dump(tree))


def signed_big(world):
    big(world.target)
    world.check(world.start("meph2-util", "sign", world.target))


def big_source(world):
    big(world.path("big"))
    world.check(world.start("meph2-util", "sign", world.path("big")))


def patch(world):
    with open(world.path("patch.yaml"), "wb") as out:
        subprocess.run([os.path.join(world.bin, "meph2-util"), "diff", "--promote", world.source, world.target], stdout=out,
                       env=world.env, check=True)


def unsigned_contents(world):
    for number in range(20):
        streams.make(world.target, ["20240301"], content="com.example:%d" % number)
    os.unlink(os.path.join(world.target, "streams/v1/index.sjson"))


def signed_contents(world):
    unsigned_contents(world)
    world.check(world.start("meph2-util", "sign", world.target))


def second_key(world):
    """Another key that could sign, and that readers trust; the target's keyring does not name it yet."""
    gpg = ["gpg", "--batch", "--quiet"]
    if subprocess.run([*gpg, "--list-keys", "second@example.com"], env=world.env, check=False, capture_output=True).returncode:
        subprocess.run([*gpg, "--passphrase", "", "--quick-generate-key", "second@example.com", "ed25519", "sign", "never"],
                       env=world.env, check=True, stderr=subprocess.DEVNULL)
        subprocess.run([*gpg, "--yes", "--export", "--output", world.keys.keyring], env=world.env, check=True)


def announced_key(world):
    second_key(world)
    signed_contents(world)
    world.check(world.start("meph2-util", "keys", "rotate", "--announce", "second@example.com", world.target))


def orphans(world):
    """Forty files that nothing names, found long ago."""
    for number in range(40):
        streams.write(os.path.join(world.target, "lost/%d" % number), b"orphan")
        os.utime(os.path.join(world.target, "lost/%d" % number), (1600000000, 1600000000))
    streams.write(world.path("orphans.json"), json.dumps(
        {"lost/%d" % number: "Mon, 01 Jan 2024 00:00:00 +0000" for number in range(40)}))


def images(world):
    """What builders read: an image, a configuration, a stream of cloud images; a builder and a hook that can be told to
    stop whoever runs them, and then to stay."""
    stay = '#!/bin/sh\n[ -z "$STOP_PARENT" ] || { kill -STOP $PPID; exec sleep 60; }\n'
    for name, does in (("builder", 'exec %s/fake-maas-cloudimg2eph2 "$@"\n' % BIN), ("hook", "cat >/dev/null\n")):
        streams.write(world.path(name), stay + does)
        os.chmod(world.path(name), 0o755)
    streams.write(world.path("ci/server/image.squashfs"), b"image" * 1000)
    sums = hashlib.sha256(b"image" * 1000).hexdigest()
    streams.write(world.path("ci/streams/v1/index.json"), streams.dump({"format": "index:1.0", "index": {"org.example:ci": {
        "datatype": "image-downloads", "format": "products:1.0", "path": "streams/v1/ci.json", "products": ["d"],
        "updated": streams.OLD_STAMP}}}))
    streams.write(world.path("ci/streams/v1/ci.json"), streams.dump({
        "format": "products:1.0", "content_id": "org.example:ci", "datatype": "image-downloads", "updated": streams.OLD_STAMP,
        "products": {"d": {"arch": "amd64", "os": "debian", "release": "bookworm", "version": "12", "versions": {"20260713": {
            "items": {"squashfs": {"ftype": "squashfs", "path": "server/image.squashfs", "size": 5000, "sha256": sums}}}}}}}))
    streams.write(world.path("conf.yaml"), """\
releases:
 - version: "12"
   release: bookworm
   kernels:
    - [bookworm, amd64, generic, generic, linux-image-amd64, [generic]]
os: debian
content_id: com.ubuntu.maas:daily:v3:download
product_id_pre: com.ubuntu.maas.daily:v3:boot
source_content_ids: [org.example:ci]
di_mirrors: %sdebian
di_keyring: %s
""" % (world.url, world.keys.keyring))


def installer(world):
    """An archive with a debian-installer."""
    suite = world.path("debian/dists/bookworm")
    top = "main/installer-amd64/20230607/images"
    images(world)
    netboot = "netboot/debian-installer/amd64/"
    for name in ("linux", "initrd.gz"):
        streams.write(os.path.join(suite, top, netboot, name), name)
    streams.write(os.path.join(suite, top, "SHA256SUMS"), "".join(
        "%s  ./%s%s\n" % (hashlib.sha256(name.encode()).hexdigest(), netboot, name) for name in ("linux", "initrd.gz")))
    with open(os.path.join(suite, top, "SHA256SUMS"), "rb") as file:
        sums = file.read()
    release = ("Origin: Debian\nSuite: stable\nCodename: bookworm\nDate: Sat, 11 Jul 2026 09:00:00 UTC\n"
               "Architectures: all amd64\nComponents: main\nSHA256:\n %s %d %s/SHA256SUMS\n" % (
                   hashlib.sha256(sums).hexdigest(), len(sums), top))
    subprocess.run(["gpg", "--batch", "--quiet", "--yes", "--clearsign", "--output", os.path.join(suite, "InRelease")],
                   input=release.encode(), env=world.env, check=True)


def root_tar(world):
    """A root file system of many files."""
    root = world.path("root")
    if not os.path.exists(world.path("root.tar.gz")):
        streams.write(os.path.join(root, "etc/os-release"), "ID=debian\nVERSION_CODENAME=bookworm\n")
        streams.write(os.path.join(root, "var/lib/dpkg/status"),
                      "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2\n")
        for number in range(1000):
            streams.write(os.path.join(root, "data/%d" % number), os.urandom(2000))
        subprocess.run(["tar", "-C", root, "-cf", world.path("root.tar"), "data", "etc", "var"], check=True)
        subprocess.run(["gzip", "-1k", world.path("root.tar")], check=True)


ADD = ["--add", "root-tgz={w.work}/root.tar.gz", "--os", "centos", "--release", "centos9", "--arch", "amd64", "{w.target}"]
IMAGE = ["--root-image-size=64M", "--kernel=none", "{w.work}/root.tar", "{w.target}/root-image.gz"]
TOOLS = ("tar2sqfs", "mke2fs")
EDITS = {
    "insert": ["insert", "{w.source}", "{w.target}"],
    "merge": ["merge", "{w.source}", "{w.target}"],
    "promote": ["promote", "{w.source}", "{w.target}", "20240202"],
    "copy-version": ["copy-version", "{w.target}", "20240101", "20240109"],
    "remove-version": ["remove-version", "{w.target}", "20230101"],
    "clean-md": ["clean-md", "1", "{w.target}"],
    "rollback": ["rollback", "{w.target}", "1"],
}
PATCH = ["patch", "-i", "{w.work}/patch.yaml", "{w.source}", "{w.target}"]
HTTP = "{w.url}source/"
KEYRING = ["--keyring", "{w.keys.keyring}"]
CASES = {name + ", lock": Case(words, Lock()) for name, words in EDITS.items()}
CASES.update({
    "hold, lock": Case(["hold", "{w.target}", streams.PRODUCT % "ga-24.04" + "@20230101", "--reason", "x"], Lock()),
    "keys rotate, lock": Case(["keys", "rotate", "--announce", "second@example.com", "{w.target}"], Lock(), prepare=second_key),
    "keys rotate": Case(["keys", "rotate", "--switch", "--grace", "0s", "{w.target}"], Call(9, "write com"),
                        prepare=announced_key),
    "insert": Case(EDITS["insert"], Call(20, "fchmod")),
    "insert, one large file": Case(["insert", "{w.work}/big", "{w.target}"], Call(3, BIG), prepare=big_source),
    "insert, HTTP": Case(["insert", *KEYRING, HTTP, "{w.target}"], Request("boot-kernel")),
    "merge": Case(EDITS["merge"], Call(20, "fchmod")),
    "promote": Case(EDITS["promote"], Call(2, "fchmod")),
    "copy-version": Case(EDITS["copy-version"], Call(2, "fchmod")),
    "remove-version": Case(EDITS["remove-version"], Call(1, "write com")),
    "clean-md": Case(EDITS["clean-md"], Call(1, "write com")),
    "rollback": Case(EDITS["rollback"], Call(1, "write com")),
    "patch": Case(PATCH, Call(20, "fchmod"), prepare=patch),
    "sign": Case(["sign", "{w.target}"], Call(2, "13.json.gpg"), prepare=unsigned_contents),
    "find-orphans": Case(["find-orphans", "{w.work}/found.json", "{w.target}"], Call(40, "read"), prepare=orphans),
    "reap-orphans": Case(["reap-orphans", "--older", "1d", "{w.work}/orphans.json", "{w.target}"], Call(10, "rename"),
                         prepare=orphans),
    "verify": Case(["verify", "{w.target}"], Call(5, "download.json")),
    "verify, one large file": Case(["verify", "--data", "{w.target}"], Call(3, BIG), prepare=signed_big),
    "verify, HTTP": Case(["verify", *KEYRING, HTTP], Request("boot-kernel"), fresh=True),
    "lint": Case(["lint", "{w.target}"], Call(40, "read"), again=(0, 1)),
    "lint, HTTP": Case(["lint", HTTP], Request("boot-kernel"), fresh=True, again=(0, 1)),
    "du --by orphan": Case(["du", "--by", "orphan", "{w.target}"], Call(40, "read")),
    "diff": Case(["diff", "{w.source}", "{w.target}"], Call(1, "read"), prepare=signed_contents, again=(0, 1)),
    "status": Case(["status", "{w.target}"], Call(40, "read"), again=(0, 1)),
    "keys status": Case(["keys", "status", "{w.target}"], Call(3, "13.json.gpg"), prepare=signed_contents, again=(0, 1)),
    "import": Case(["import", *ADD], Call(4, "root.tar.gz"), prepare=root_tar, fresh=True),
    "import, packages of a tar": Case(ADD, Call(500, "root.tar.gz"), "meph2-import", prepare=root_tar, fresh=True),
    "mirror": Case([*KEYRING, "{w.source}", "{w.target}"], Call(20, "fchmod"), "sstream-mirror", fresh=True),
    "mirror, HTTP": Case([*KEYRING, HTTP, "{w.target}"], Request("boot-kernel"), "sstream-mirror", fresh=True),
    "sync, HTTP": Case([*KEYRING, "--hook", "{w.work}/hook", "{w.url}small/"], Request("boot-kernel"), "sstream-sync", prepare=images,
                       fresh=True),
    "sync, a hook": Case([*KEYRING, "--hook", "{w.work}/hook", "{w.work}/small"], Child(), "sstream-sync", prepare=images,
                         fresh=True),
    "sync, one large file": Case([*KEYRING, "--hook", "{w.work}/hook", "{w.work}/big"], Call(3, BIG), "sstream-sync",
                                 prepare=lambda world: (images(world), big_source(world)), fresh=True),
    "generate --scan": Case(["--scan", "{w.source}", "--content-id", "com.example:scan", "--layout",
                             "{{release}}/{{arch}}/{{version}}/{{item}}", "{w.target}"], Call(40, "read"), "sstream-generate",
                            fresh=True),
    "query": Case([*KEYRING, "{w.source}"], Call(5, "v1/com"), "sstream-query", fresh=True),
    "query, HTTP": Case([*KEYRING, HTTP], Request("com.ubuntu"), "sstream-query", fresh=True),
    "netboot-mirror": Case(["--config", "{w.work}/conf.yaml", "{w.target}"], Request("initrd.gz"), "netboot-mirror",
                           prepare=installer, fresh=True),
    "cloudimg-sync, HTTP": Case(["--config", "{w.work}/conf.yaml", "--arches", "amd64", "--source", "{w.url}ci", "--no-verify",
                                 "--target", "force", "{w.target}"], Request("image.squashfs"), "meph2-cloudimg-sync",
                                prepare=images, fresh=True),
    "cloudimg-sync, builder": Case(["--config", "{w.work}/conf.yaml", "--arches", "amd64", "--source", "{w.work}/ci",
                                    "--target", "force", "{w.target}"], Child(), "meph2-cloudimg-sync", prepare=images,
                                   fresh=True),
    "build": Case(["--config", "{w.work}/conf.yaml", "amd64", "bookworm", "20260711", "{w.work}/ci/server/image.squashfs",
                   "{w.target}"], Child(), "meph2-build", prepare=images, fresh=True),
    "cloudimg2eph2, a tar": Case(IMAGE, Call(500, "root.tar"), "maas-cloudimg2eph2", prepare=root_tar, fresh=True,
                                 needs=TOOLS),
    "cloudimg2eph2, an ext4": Case(IMAGE, Call(500, "read data/"), "maas-cloudimg2eph2", prepare=root_tar, fresh=True,
                                   needs=TOOLS),
})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--no-failpoints", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    world = World(args.bin)
    names = args.names or [name for name, case in CASES.items() if not (args.no_failpoints and type(case.place) is Call)]
    broken, slowest = 0, (0.0, "")
    try:
        for name in names:
            lacks = [need for need in CASES[name].needs if not shutil.which(need)]
            if lacks:
                print("%-28s SKIPPED: no %s" % (name, ", ".join(lacks)))
                broken += args.self_test
                continue
            try:
                took = CASES[name].run(world, args.self_test)
                slowest = max(slowest, (took, name))
                print("%-28s 143  %.3f s" % (name, took), flush=True)
            except (streams.Broken, subprocess.TimeoutExpired) as error:
                broken += 1
                print("%-28s BROKEN: %s" % (name, error), flush=True)
    finally:
        world.close()
    print("%d commands, %d broken, slowest %.3f s %s" % (len(names), broken, *slowest))
    return int(broken != len(names)) if args.self_test else int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())

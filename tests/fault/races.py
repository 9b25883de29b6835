#!/usr/bin/env python3
"""Several writers at once, readers while they write, signals, and a full disk: the stream stays readable, signed and
complete, and nothing that a writer was told is published gets lost.

  races.py --bin DIR writers|janitor|turns|readers|polling|signals|signed|terminated|disk|surroundings [--rounds N]
"""
import argparse
import functools
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402


class World:
    def __init__(self, binaries):
        self.util = os.path.join(os.path.abspath(binaries), "meph2-util")
        self.keys = streams.Keys()
        self.work = tempfile.mkdtemp(prefix="races-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.target = os.path.join(self.work, "target")
        streams.make(self.target, ["20230101"])
        self.check(self.start("sign", self.target))

    def close(self):
        self.keys.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def source(self, name, versions, content=streams.CONTENT):
        root = os.path.join(self.work, name)
        streams.make(root, versions, content=content)
        return root

    def start(self, *arguments, **extra):
        return subprocess.Popen([self.util] + list(arguments), env=dict(self.keys.env, **extra),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def check(self, process):
        error = process.communicate(timeout=120)[1].decode(errors="replace")
        if process.returncode != 0:
            raise streams.Broken("exit %d: %s" % (process.returncode, error))

    def versions(self, root=None):
        seen = streams.read_all(root or self.target, self.keys.keyring)
        return {version for content in seen.values() for product in content.values() for version in product["versions"]}


def writers(world, rounds):
    """Eight writers a round, each with a version of its own: none may be lost."""
    expected = {"20230101"}
    for number in range(rounds):
        names = ["2024%04d" % (number * 8 + i + 1) for i in range(8)]
        sources = [world.source("source-" + name, [name]) for name in names]
        running = [world.start("insert", source, world.target, "--lock-timeout", "60s") for source in sources]
        for process in running:
            world.check(process)
        expected.update(names)
        if world.versions() != expected:
            raise streams.Broken("lost: %s" % sorted(expected - world.versions()))
    return "%d rounds of 8 writers, %d versions, none lost" % (rounds, len(expected))


def janitor(world, rounds):
    """Eight writers, one who takes versions out, and a janitor that reaps at once, all at the same time: whatever is
    published has its files, and nothing that a writer was told is lost."""
    expected, removed = {"20230101"}, None
    for number in range(rounds):
        names = ["2026%02d%02d" % (number % 12 + 1, i + 1 + 8 * (number // 12 % 3)) for i in range(8)]
        sources = [world.source("source-" + name, [name]) for name in names]
        running = [world.start("insert", source, world.target, "--lock-timeout", "60s") for source in sources]
        if removed:
            running.append(world.start("remove-version", world.target, removed, "--lock-timeout", "60s"))
            expected.discard(removed)
        orphans = os.path.join(world.work, "orphans.json")
        reaped = 0
        while any(process.poll() is None for process in running):
            world.check(world.start("find-orphans", orphans, world.target))
            world.check(world.start("reap-orphans", "--now", "--yes", orphans, world.target))
            reaped += 1
        for process in running:
            world.check(process)
        expected.update(names)
        removed = names[0]
        if world.versions() != expected:    # reads and hashes every file
            raise streams.Broken("lost: %s" % sorted(expected - world.versions()))
        for source in sources:
            shutil.rmtree(source)
    return "%d rounds of 8 writers and a janitor, %d versions, none lost" % (rounds, len(expected))


def turns(world, rounds):
    """A second writer comes while the first one has made its staging directory and not locked it yet."""
    for number in range(rounds):
        names = ["2025%02d01" % (number + 1), "2025%02d02" % (number + 1)]
        first, second = [world.source("source-" + name, [name]) for name in names]
        fifo = os.path.join(world.work, "fifo")
        os.mkfifo(fifo)
        paused = world.start("insert", first, world.target, **{"SS_SYNC_before-staging-lock": fifo})
        with open(fifo, "w"):    # opens when the first has come to the point, closes after the second's start
            other = world.start("insert", second, world.target)
            try:
                other.wait(timeout=1)    # without the turn it is done long before
            except subprocess.TimeoutExpired:
                pass
        world.check(paused)
        world.check(other)
        os.unlink(fifo)
        if not set(names) <= world.versions():
            raise streams.Broken("lost one of %s" % names)
    return "%d pairs" % rounds


def readers(world, rounds):
    """Three kinds of reader pass over the whole stream again and again while it is published and shrunk."""
    stop, counts, broken = threading.Event(), {}, []

    def poll(name):
        get, suffix = streams.READERS[name]
        while not stop.is_set():
            try:
                streams.read_stream(world.target, get, suffix, world.keys.keyring)
            except streams.Broken as first:
                # The detached pair are two requests: one retry is what such a reader has to do anyway.
                try:
                    streams.read_stream(world.target, get, suffix, world.keys.keyring)
                except streams.Broken:
                    broken.append("%s: %s" % (name, first))
            counts[name] = counts.get(name, 0) + 1

    threads = [threading.Thread(target=poll, args=(name,)) for name in streams.READERS]
    for thread in threads:
        thread.start()
    try:
        for number in range(rounds):
            version = "2024%04d" % (number + 1)
            world.check(world.start("insert", world.source("s-" + version, [version]), world.target))
            if number % 2:
                world.check(world.start("remove-version", world.target, version))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if broken:
        raise streams.Broken("%d of %d reads: %s" % (len(broken), sum(counts.values()), broken[0]))
    if min(counts.values(), default=0) < rounds:
        raise streams.Broken("the readers hardly ran: %s" % counts)
    return "%d publications, %d passes of readers, none broken" % (rounds + rounds // 2, sum(counts.values()))


def signals(world, rounds):
    """SIGTERM and SIGINT while the writer stands at each of its sync points."""
    source, before = world.source("source", ["20240101"]), world.versions()
    points = ["after-plan", "before-data-rename", "before-lock", "before-commit"]
    for number in range(rounds):
        for point in points:
            for sent in (signal.SIGTERM, signal.SIGINT):
                target = os.path.join(world.work, "copy")
                shutil.copytree(world.target, target, symlinks=True)
                fifo = os.path.join(world.work, "fifo")
                os.mkfifo(fifo)
                process = world.start("insert", source, target, **{"SS_SYNC_" + point: fifo})
                with open(fifo, "w"):    # opens when the writer has come to the point
                    process.send_signal(sent)
                error = process.communicate(timeout=60)[1].decode(errors="replace")
                after = world.versions(target)
                if process.returncode == 128 + sent and after != before:
                    raise streams.Broken("%s at %s: says stopped, but published" % (sent.name, point))
                if process.returncode == 0 and after == before:
                    raise streams.Broken("%s at %s: says done, but did not publish" % (sent.name, point))
                if process.returncode not in (0, 128 + sent):
                    raise streams.Broken("%s at %s: exit %d: %s" % (sent.name, point, process.returncode, error))
                if process.returncode != 0 and "stream unchanged" not in error:
                    raise streams.Broken("%s at %s: does not say what state things are in: %s" % (sent.name, point, error))
                world.check(world.start("insert", source, target))
                if streams.leftovers(target):
                    raise streams.Broken("left behind: %s" % streams.leftovers(target))
                os.unlink(fifo)
                shutil.rmtree(target)
    return "%d signals at %d points" % (rounds * len(points) * 2, len(points))


def signed(world, rounds):
    """A signature that does not verify once it is on the disk, damaged or of another text, is never published."""
    before = world.versions()
    fifo = os.path.join(world.work, "fifo")
    for number in range(rounds):
        source = world.source("signed-%d" % number, ["2024%02d01" % (number + 1)])
        for point, suffix in (("after-clear-signature", ".sjson"), ("after-detached-signature", ".gpg")):
            for damage in (flip_a_bit, lambda new, old: old):
                os.mkfifo(fifo)
                process = world.start("insert", source, world.target, **{"SS_SYNC_" + point: fifo})
                with open(fifo, "w"):    # opens when the first such signature is written
                    replace_signatures(world.target, suffix, damage)
                error = process.communicate(timeout=60)[1].decode(errors="replace")
                os.unlink(fifo)
                if process.returncode == 0 or "does not read back" not in error or "stream unchanged" not in error:
                    raise streams.Broken("%s: exit %d: %s" % (point, process.returncode, error))
                if world.versions() != before:
                    raise streams.Broken("%s: published all the same" % point)
        world.check(world.start("insert", source, world.target))
        before = world.versions()
    return "%d bad signatures, none published" % (rounds * 4)


def flip_a_bit(new, _):
    middle = len(new) // 2
    return new[:middle] + bytes([new[middle] ^ 1]) + new[middle + 1:]


def replace_signatures(target, suffix, damage):
    """In what is being made ready: all but the live documents."""
    live = os.path.join(target, "streams", "v1")
    replaced = 0
    for top, _, names in os.walk(os.path.join(target, "streams")):
        for name in names:
            old, new = os.path.join(live, name), os.path.join(top, name)
            if name.endswith(suffix) and not os.path.samefile(top, live) and os.path.getsize(new):
                with open(new, "rb") as file, open(old, "rb") as other:
                    text = damage(file.read(), other.read())
                with open(new, "r+b") as file:    # in place: the writer has it open
                    file.truncate(0)
                    file.write(text)
                replaced += 1
    if not replaced:
        raise streams.Broken("no new %s in %s" % (suffix, target))


def terminated(world, rounds):
    """SIGTERM at a random moment (the seed is fixed): done or stopped as it says, and the next run finishes."""
    chance, ends = random.Random(20260101), {}
    source, before = world.source("source", ["20240101"]), world.versions()
    start = time.monotonic()
    shutil.copytree(world.target, os.path.join(world.work, "timed"), symlinks=True)
    world.check(world.start("insert", source, os.path.join(world.work, "timed")))
    usual = time.monotonic() - start
    for _ in range(rounds * 20):
        target = os.path.join(world.work, "copy")
        shutil.copytree(world.target, target, symlinks=True)
        process = world.start("insert", source, target)
        try:
            process.wait(timeout=chance.random() * usual * 1.2)
        except subprocess.TimeoutExpired:
            process.terminate()
        error = process.communicate(timeout=60)[1].decode(errors="replace")
        ends[process.returncode] = ends.get(process.returncode, 0) + 1
        # -SIGTERM: it came before the program had begun to listen for it.
        if process.returncode not in (0, 128 + signal.SIGTERM, -signal.SIGTERM):
            raise streams.Broken("exit %d: %s" % (process.returncode, error))
        changed = world.versions(target) != before
        if changed != (process.returncode == 0) and not (changed and "published" in error):
            raise streams.Broken("exit %d, but the stream says otherwise: %s" % (process.returncode, error))
        world.check(world.start("insert", source, target))
        if streams.leftovers(target):
            raise streams.Broken("left behind: %s" % streams.leftovers(target))
        shutil.rmtree(target)
    return "%d times, ends %s" % (rounds * 20, ends)


def disk(world, rounds):
    """A file system that is too small by ever less: refused or unfinished, never half published."""
    if os.getuid() != 0:
        print("SKIPPED: mounting a tmpfs wants root")
        sys.exit(77)
    source, before = world.source("source", ["20240101", "20240102"]), world.versions()
    mount = os.path.join(world.work, "small")
    os.mkdir(mount)
    seen = set()
    for kilobytes in [64 + 17 * 1024 * i // rounds for i in range(rounds + 4)]:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk" % (kilobytes + 200), "none", mount], check=True)
        try:
            target = os.path.join(mount, "target")
            shutil.copytree(world.target, target, symlinks=True)
            process = world.start("insert", source, target)
            error = process.communicate(timeout=60)[1].decode(errors="replace")
            seen.add(process.returncode)
            after = world.versions(target)
            if process.returncode == 1 and (after != before or "No space left on device" not in error):
                raise streams.Broken("%d kB: %s" % (kilobytes, error))
            if process.returncode not in (0, 1, 3):
                raise streams.Broken("%d kB: exit %d: %s" % (kilobytes, process.returncode, error))
        finally:
            subprocess.run(["umount", mount], check=True)
    if seen != {0, 1}:
        raise streams.Broken("the sizes did not cover both ends: exits %s" % seen)
    return "%d sizes" % (rounds + 4)


def surroundings(world, _rounds):
    """A full standard output, a report that cannot be written, a file system that cannot be written to."""
    source = world.source("source", ["20240101"])
    with open("/dev/full", "w") as full:
        done = subprocess.run([world.util, "insert", source, world.target], env=world.keys.env, stdout=full,
                              stderr=subprocess.PIPE)
    if done.returncode != 3 or b"; published" not in done.stderr or "20240101" not in world.versions():
        raise streams.Broken("/dev/full: exit %d: %s" % (done.returncode, done.stderr))
    done = subprocess.run([world.util, "remove-version", world.target, "20240101", "--report", "/proc/no/report"],
                          env=world.keys.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 3 or b"; published" not in done.stderr or "20240101" in world.versions():
        raise streams.Broken("--report: exit %d: %s" % (done.returncode, done.stderr))
    if os.getuid() != 0:
        print("SKIPPED: a read-only mount wants root")
        sys.exit(77)
    subprocess.run(["mount", "--bind", world.target, world.target], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", world.target], check=True)
        before = streams.manifest(world.target)
        process = world.start("insert", source, world.target)
        error = process.communicate(timeout=60)[1]
        if process.returncode != 1 or b"Read-only file system; stream unchanged" not in error:
            raise streams.Broken("read-only: exit %d: %s" % (process.returncode, error))
        if streams.manifest(world.target) != before:
            raise streams.Broken("read-only: something changed")
    finally:
        subprocess.run(["umount", world.target], check=True)
    return "3 cases"


class Server:
    """The stream over HTTP, as a reader gets it."""

    def __init__(self, root):
        handler = functools.partial(QuietHandler, directory=root)
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = "http://127.0.0.1:%d/" % self.http.server_port

    def get(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise streams.Broken("%s: %s" % (path, error))

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        pass


def polling(world, rounds, readers=16):
    """Readers that poll over HTTP while versions come and go: every one sees a whole, signed generation."""
    server = Server(world.target)
    source = world.source("source", ["20240101"])
    stop, polls, broken = threading.Event(), [0] * readers, []

    def poll(number):
        while not stop.is_set():
            try:
                index = json.loads(streams.clear_bytes(server.get("streams/v1/index.sjson"), world.keys.keyring, "index"))
                for content, entry in index["index"].items():
                    text = streams.clear_bytes(server.get(entry["path"]), world.keys.keyring, entry["path"])
                    if json.loads(text)["content_id"] != content:
                        raise streams.Broken("%s holds another content" % entry["path"])
                polls[number] += 1
            except (streams.Broken, ValueError) as error:
                broken.append(str(error))

    threads = [threading.Thread(target=poll, args=(number,)) for number in range(readers)]
    for thread in threads:
        thread.start()
    try:
        for number in range(rounds):
            arguments = ["remove-version", world.target, "20240101"] if number % 2 else ["insert", source, world.target]
            world.check(world.start(*arguments))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        server.close()
    if broken:
        raise streams.Broken("%d of %d polls: %s" % (len(broken), sum(polls) + len(broken), broken[0]))
    if min(polls) == 0:
        raise streams.Broken("a reader saw nothing at all: %s" % polls)
    return "%d publications, %d readers, %d polls, 0 broken" % (rounds, readers, sum(polls))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("kind", choices=["writers", "janitor", "turns", "readers", "polling", "signals", "signed",
                                             "terminated", "disk", "surroundings"])
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    world = World(args.bin)
    try:
        print("%s: %s" % (args.kind, globals()[args.kind](world, args.rounds)))
        return 0
    except streams.Broken as broken:
        print("%s: BROKEN: %s" % (args.kind, broken))
        return 1
    finally:
        world.close()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""SIGTERM while a command waits for the commit lock: it ends with exit 143 within a second, the stream is
what it was, and the same command run again, unhindered, does its work and leaves nothing behind.

  stopped.py --bin DIR [--self-test]

  --self-test  turn 143 into 1, and succeed only when every case notices
"""
import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402

PATIENCE = 30  # seconds until a wait has to have begun

VERBS = {
    "insert": lambda source, target: ["insert", source, target],
    "merge": lambda source, target: ["merge", source, target],
    "promote": lambda source, target: ["promote", source, target, "20240102"],
    "copy-version": lambda source, target: ["copy-version", target, "20240101", "20240109"],
    "remove-version": lambda source, target: ["remove-version", target, "20230101"],
    "clean-md": lambda source, target: ["clean-md", "1", target],
    "rollback": lambda source, target: ["rollback", target, "1"],
}


class World:
    def __init__(self, binaries):
        self.util = os.path.join(os.path.abspath(binaries), "meph2-util")
        self.keys = streams.Keys()
        self.work = tempfile.mkdtemp(prefix="stopped-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.base, self.source, later = (os.path.join(self.work, name) for name in ("base", "source", "later"))
        streams.make(self.base, ["20230101"])
        streams.make(later, ["20240101"])
        streams.make(self.source, ["20240102"])
        self.run(["sign", self.base])
        self.run(["insert", later, self.base])

    def close(self):
        self.keys.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def run(self, words):
        done = subprocess.run([self.util] + words, env=self.keys.env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise streams.Broken("%s: exit %d: %s" % (words[0], done.returncode, done.stderr.decode(errors="replace")))


def begun(process, log):
    """Waits until the command says that it waits for the lock."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with open(log, "rb") as text:
            if b"waiting for " in text.read():
                return
        time.sleep(0.01)
    with open(log, errors="replace") as text:
        raise streams.Broken("never waited for the lock: %s" % text.read())


def stopped(world, name, wrong):
    """Seconds from the signal to the end."""
    target, log = os.path.join(world.work, "target"), os.path.join(world.work, "log")
    shutil.copytree(world.base, target, symlinks=True)
    words = VERBS[name](world.source, target)
    before = streams.read_all(target, world.keys.keyring)
    try:
        with open(os.path.join(target, ".data/.sstream/commit.lock"), "a") as lock, open(log, "wb") as error:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = subprocess.Popen([world.util] + words, env=world.keys.env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=error)
            try:
                begun(process, log)
                start = time.monotonic()
                process.send_signal(signal.SIGTERM)
                try:
                    code = process.wait(timeout=1)
                except subprocess.TimeoutExpired:
                    raise streams.Broken("still there a second after the signal") from None
                took = time.monotonic() - start
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if wrong and code == 143:
            code = 1
        if code != 143:
            raise streams.Broken("exit %d, not 143" % code)
        if streams.read_all(target, world.keys.keyring) != before:
            raise streams.Broken("the stream has changed")
        world.run(words)
        streams.read_all(target, world.keys.keyring)
        if streams.leftovers(target):
            raise streams.Broken("left behind: %s" % streams.leftovers(target))
        return took
    finally:
        shutil.rmtree(target, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    world = World(args.bin)
    broken, slowest = 0, (0.0, "")
    try:
        for name in VERBS:
            try:
                took = stopped(world, name, args.self_test)
                slowest = max(slowest, (took, name))
                print("%-16s waits for the lock  143  %.3f s" % (name, took))
            except (streams.Broken, subprocess.TimeoutExpired) as error:
                broken += 1
                print("%-16s BROKEN: %s" % (name, error))
    finally:
        world.close()
    print("%d commands, %d broken, slowest %.3f s %s" % (len(VERBS), broken, *slowest))
    return int(broken != len(VERBS)) if args.self_test else int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())

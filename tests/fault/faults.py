#!/usr/bin/env python3
"""Makes every mutating system call of a command fail, one run per call and kind of failure, and lets three readers judge
the stream after each: readable, signed, complete, old or new. Then runs the command again, which must converge.

  faults.py --bin DIR [--command insert|sign|remove-version] [--modes kill,torn,enospc,enospc-on,eio] [--every N]
            [--no-exchange] [--jobs N]
"""
import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402


class Case:
    """A prepared repository, a command on it, and the two states that readers may see."""

    def __init__(self, work, binaries, command, keys, no_exchange):
        self.work, self.keys, self.no_exchange = work, keys, no_exchange
        self.env = dict(keys.env, LC_ALL="C.UTF-8")
        if no_exchange:
            self.env["SS_TEST_NO_EXCHANGE"] = "1"
        util = os.path.join(binaries, "meph2-util")
        source, self.base = os.path.join(work, "source"), os.path.join(work, "base")
        streams.make(source, ["20240101", "20240102"])
        streams.make(self.base, ["20240101"])
        streams.make(self.base, ["20230101"], subarches=("ga-24.04",), content="com.example:other:download")
        subprocess.run([util, "sign", self.base], env=self.env, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        if command == "sign":
            os.unlink(os.path.join(self.base, "streams/v1/index.sjson"))
            os.unlink(os.path.join(self.base, "streams/v1", streams.CONTENT + ".json.gpg"))
        self.command = {"insert": lambda target: [util, "insert", source, target],
                        "sign": lambda target: [util, "sign", target],
                        "remove-version": lambda target: [util, "remove-version", target, "20240101"]}[command]
        self.gone_is_new = command == "remove-version"
        # A stream that is not signed yet has no old state that all readers accept: only the plain one judges it.
        self.readers = {"json": streams.READERS["json"]} if command == "sign" else streams.READERS
        self.old = streams.read_all(self.base, keys.keyring, self.readers)
        good = os.path.join(work, "good")
        shutil.copytree(self.base, good, symlinks=True)
        log = os.path.join(work, "calls")
        self.run(good, {"SS_FAILPOINT_LOG": log}).check_returncode()
        self.new = streams.read_all(good, keys.keyring)
        self.calls = open(log).read().splitlines()

    def run(self, target, extra):
        return subprocess.run(self.command(target), env=dict(self.env, **extra), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)

    def again(self, target, extra=None):
        """The same command once more. A version that is gone already cannot be removed again: that is convergence too."""
        done = self.run(target, extra or {})
        if self.gone_is_new and done.returncode == 1 and b"no product that matches" in done.stderr:
            done.returncode = 0
        return done

    def problems(self, number, mode):
        target = os.path.join(self.work, "t-%d-%s" % (number, mode))
        shutil.copytree(self.base, target, symlinks=True)
        try:
            return list(self.judge(target, number, mode))
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def seen_in(self, target):
        """What the readers see. With an exchange all see one generation, old or new. Ordered renames promise less until
        the next run has finished them: readers of signed documents and of plain ones each see whole documents, old or
        new; the document and its detached signature are two renames, so that pair may not fit."""
        if not self.no_exchange:
            seen = streams.read_all(target, self.keys.keyring, self.readers)
            if seen not in (self.old, self.new):
                raise streams.Broken("the stream is neither the old nor the new one")
            return [seen]
        views = [streams.read_stream(target, *streams.READERS[name], self.keys.keyring) for name in ("sjson", "json")]
        for seen in views:
            if any(seen[content] not in (self.old.get(content), self.new.get(content)) for content in seen):
                raise streams.Broken("a document is neither the old nor the new one")
        return views

    def judge(self, target, number, mode):
        done = self.run(target, {"SS_FAILPOINT": "%d:%s" % (number, mode)})
        error = done.stderr.decode(errors="replace").strip()
        try:
            for seen in self.seen_in(target):
                if done.returncode == 0 and seen != self.new:
                    yield "exit 0, but the new stream is not there"
                if done.returncode == 1 and self.old != self.new and seen != self.old:
                    yield "exit 1 says unchanged, but the stream is the new one: " + error
        except streams.Broken as broken:
            yield "broken for a reader: %s (exit %d, %s)" % (broken, done.returncode, error)
        if mode in ("kill", "torn") and done.returncode not in (-signal.SIGKILL, 0):
            yield "expected death, got exit %d: %s" % (done.returncode, error)
        if mode not in ("kill", "torn") and done.returncode not in (0, 1, 3, 4):
            yield "unexpected exit %d: %s" % (done.returncode, error)
        done = self.again(target)
        if done.returncode != 0:
            yield "the second run: exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace").strip())
            return
        try:
            if streams.read_all(target, self.keys.keyring) != self.new:
                yield "the second run did not converge"
        except streams.Broken as broken:
            yield "broken after the second run: %s" % broken
        if streams.leftovers(target):
            yield "left behind after the second run: %s" % streams.leftovers(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--command", default="insert", choices=["insert", "sign", "remove-version"])
    parser.add_argument("--modes", default="kill,torn,enospc,enospc-on,eio")
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("--no-exchange", action="store_true", help="as on a file system without RENAME_EXCHANGE")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    work = tempfile.mkdtemp(prefix="faults-", dir=os.environ.get("TMPDIR", "/tmp"))
    keys = streams.Keys()
    try:
        case = Case(work, os.path.abspath(args.bin), args.command, keys, args.no_exchange)
        runs = [(number, mode) for mode in args.modes.split(",") for number in range(1, len(case.calls) + 1, args.every)
                if mode != "torn" or " write " in case.calls[number - 1]]
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for (number, mode), problems in zip(runs, pool.map(lambda run: case.problems(*run), runs)):
                failed += bool(problems)
                for problem in problems:
                    print("%s at call %s: %s" % (mode, case.calls[number - 1], problem))
        print("%s: %d calls, %d runs, %d broken" % (args.command, len(case.calls), len(runs), failed))
        return 1 if failed or not runs else 0
    finally:
        keys.close()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

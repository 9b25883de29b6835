#!/usr/bin/env python3
"""Makes every mutating system call of a command fail, one run per call and kind of failure, and lets three readers judge
the stream after each: readable, signed, complete, old or new. Then runs the command again, which must converge.

  faults.py --bin DIR [--command NAME]... [--modes kill,torn,enospc,enospc-on,eio] [--every N] [--distinct]
            [--no-exchange] [--unsigned] [--jobs N]

Without --command: all of them. Prints a table; exit 1 when anything is broken, or when too few faults fired for that to
mean anything.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import streams  # noqa: E402


DEADLY = ("kill", "torn")    # faults that end the process
UNSEEN = ("close", "fsync", "syncfs")    # death before one of these leaves what death before the next call leaves


class Command:
    """How a command is tried: what it works on beside the base stream, and what a second run may say."""

    def __init__(self, arguments, prepare=None, again=(0, b""), readers=streams.READERS, program="meph2-util"):
        self.program = program
        self.arguments = arguments    # (case, target) -> words after the program
        self.prepare = prepare or (lambda case: None)    # changes case.base, makes what else is needed in case.work
        self.again = again    # exit and words of a run that finds the work done
        self.readers = readers


def unsigned_again(case):
    os.unlink(os.path.join(case.base, "streams/v1/index.sjson"))
    os.unlink(os.path.join(case.base, "streams/v1", streams.CONTENT + ".json.gpg"))


def published_twice(case):
    """The first time by signing, where that is done."""
    if case.unsigned:
        case.util("insert", "--no-sign", case.path("source"), case.base)
    case.util("insert", case.source("later", ["20240105"]), case.base, *case.words)


def orphaned(case):
    """Two files that nothing names, found long ago; one that was, and is named again."""
    for name in ("noble/amd64/20230901/squashfs", "lost/manifest"):
        streams.write(os.path.join(case.base, name), b"orphan" * 50)
        os.utime(os.path.join(case.base, name), (1600000000, 1600000000))
    case.util("find-orphans", case.path("orphans.json"), case.base)
    found = json.load(open(case.path("orphans.json")))
    found = {name: "Mon, 01 Jan 2024 00:00:00 +0000" for name in found}
    found["noble/amd64/20240101/squashfs"] = "Mon, 01 Jan 2024 00:00:00 +0000"
    streams.write(case.path("orphans.json"), json.dumps(found))


def signed_source(case):
    if not case.unsigned:
        case.util("sign", case.path("source"))


def patch_of(case):
    """What diff says between the base and one that has a version more, as the patch to get there."""
    wanted = case.source("wanted", ["20240101", "20240104"])
    with open(case.path("patch.yaml"), "wb") as out:
        out.write(case.util("diff", "--promote", wanted, case.base))


COMMANDS = {
    "insert": Command(lambda case, target: ["insert", case.path("source"), target]),
    "sign": Command(lambda case, target: ["sign", target], unsigned_again, readers={"json": streams.READERS["json"]}),
    "remove-version": Command(lambda case, target: ["remove-version", target, "20240101"],
                              again=(1, b"no product that matches")),
    "promote": Command(lambda case, target: ["promote", case.path("source"), target, "20240102"]),
    "copy-version": Command(lambda case, target: ["copy-version", target, "20240101", "20240109"]),
    "merge": Command(lambda case, target: ["merge", case.path("source"), target]),
    "clean-md": Command(lambda case, target: ["clean-md", "1", target],
                        lambda case: case.util("insert", case.path("source"), case.base, *case.words)),
    "rollback": Command(lambda case, target: ["rollback", target, "1"], published_twice),
    "find-orphans": Command(lambda case, target: ["find-orphans", case.orphans(target), target], orphaned),
    "hold": Command(lambda case, target: ["hold", target, streams.PRODUCT % "ga-24.04" + "@20240101", "--reason", "x"]),
    "mirror": Command(lambda case, target: (["--no-verify"] if case.unsigned else ["--keyring", case.keys.keyring]) + [
        case.path("source"), target], signed_source, program="sstream-mirror"),
    "patch": Command(lambda case, target: ["patch", "-i", case.path("patch.yaml"), case.path("wanted"), target], patch_of),
    "reap-orphans": Command(lambda case, target: ["reap-orphans", "--older", "1d", case.orphans(target), target], orphaned),
}


class Case:
    """A prepared repository, a command on it, and the two states that readers may see."""

    def __init__(self, work, binaries, command, keys, no_exchange=False, unsigned=False):
        self.work, self.keys, self.no_exchange = work, keys, no_exchange
        self.unsigned, self.words = unsigned, ["--no-sign"] if unsigned else []
        self.binaries = binaries
        self.env = dict(keys.env, LC_ALL="C.UTF-8")
        self.base = self.path("base")
        self.command = COMMANDS[command]
        self.source("source", ["20240101", "20240102"])
        streams.make(self.base, ["20240101"])
        streams.make(self.base, ["20230101"], subarches=("ga-24.04",), content="com.example:other:download")
        if not unsigned:
            self.util("sign", self.base)
        self.command.prepare(self)
        if no_exchange:
            self.env["SS_TEST_NO_EXCHANGE"] = "1"
        # A stream that is not signed yet has no old state that all readers accept: only the plain one judges it.
        plain = {"json": streams.READERS["json"]}
        self.readers = plain if unsigned else self.command.readers
        self.new_readers = plain if unsigned else streams.READERS
        self.old = streams.read_all(self.base, keys.keyring, self.readers)
        good = self.copy("good")
        log = self.path("calls")
        done = self.run(good, {"SS_FAILPOINT_LOG": log})
        if done.returncode != 0:
            raise streams.Broken("the command itself: exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace")))
        self.new = streams.read_all(good, keys.keyring, self.new_readers)
        self.files = streams.data_files(good)
        self.ends = collections.defaultdict(list)    # mode -> exit of each run
        self.calls = open(log).read().splitlines()

    def path(self, name):
        return os.path.join(self.work, name)

    def source(self, name, versions):
        streams.make(self.path(name), versions)
        return self.path(name)

    def orphans(self, target):
        return target + ".orphans.json"

    def copy(self, name):
        """Of the base, with the orphan file of its own that a janitor works on."""
        target = self.path(name)
        shutil.copytree(self.base, target, symlinks=True)
        if os.path.exists(self.path("orphans.json")):
            shutil.copy(self.path("orphans.json"), self.orphans(target))
        return target

    def util(self, *arguments):
        done = subprocess.run([os.path.join(self.binaries, "meph2-util")] + list(arguments), env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0:
            raise streams.Broken("%s: exit %d: %s" % (arguments, done.returncode, done.stderr.decode(errors="replace")))
        return done.stdout

    def run(self, target, extra):
        words = [os.path.join(self.binaries, self.command.program)] + self.command.arguments(self, target) + self.words
        return subprocess.run(words, env=dict(self.env, **extra), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)

    def again(self, target):
        """The same command once more: it does the work, or says that it is done."""
        done = self.run(target, {})
        code, words = self.command.again
        if done.returncode == code and words in done.stderr:
            done.returncode = 0
        return done

    def problems(self, number, mode):
        target = self.copy("t-%d-%s" % (number, mode))
        try:
            return list(self.judge(target, number, mode))
        finally:
            shutil.rmtree(target, ignore_errors=True)

    @staticmethod
    def reached(log, number):
        """Whether the run got to that call: threads make it a few more or fewer."""
        with open(log) as lines:
            calls = [line.split(" ", 1)[0] for line in lines]
        os.unlink(log)
        return str(number) in calls

    def seen_in(self, target):
        """What the readers see. With an exchange all see one generation, old or new. Ordered renames promise less until
        the next run has finished them: readers of signed documents and of plain ones each see whole documents, old or
        new; the document and its detached signature are two renames, so that pair may not fit."""
        if not self.no_exchange:
            seen = streams.read_all(target, self.keys.keyring, self.readers)
            if seen not in (self.old, self.new):
                raise streams.Broken("the stream is neither the old nor the new one")
            return [seen]
        views = [streams.read_stream(target, *self.readers[name], self.keys.keyring)
                 for name in ("sjson", "json") if name in self.readers]
        for seen in views:
            if any(seen[content] not in (self.old.get(content), self.new.get(content)) for content in seen):
                raise streams.Broken("a document is neither the old nor the new one")
        return views

    def judge(self, target, number, mode):
        log = target + ".calls"
        done = self.run(target, {"SS_FAILPOINT": "%d:%s" % (number, mode), "SS_FAILPOINT_LOG": log})
        if self.reached(log, number):
            self.ends[mode].append(done.returncode)
        error = done.stderr.decode(errors="replace").strip()
        try:
            for seen in self.seen_in(target):
                if done.returncode == 0 and seen != self.new:
                    yield "exit 0, but the new stream is not there"
                if done.returncode == 1 and self.old != self.new and seen != self.old:
                    yield "exit 1 says unchanged, but the stream is the new one: " + error
        except streams.Broken as broken:
            yield "broken for a reader: %s (exit %d, %s)" % (broken, done.returncode, error)
        if mode in DEADLY and done.returncode not in (-signal.SIGKILL, 0):
            yield "expected death, got exit %d: %s" % (done.returncode, error)
        if mode not in DEADLY and done.returncode not in (0, 1, 3, 4):
            yield "unexpected exit %d: %s" % (done.returncode, error)
        done = self.again(target)
        if done.returncode != 0:
            yield "the second run: exit %d: %s" % (done.returncode, done.stderr.decode(errors="replace").strip())
            return
        try:
            if streams.read_all(target, self.keys.keyring, self.new_readers) != self.new:
                yield "the second run did not converge"
        except streams.Broken as broken:
            yield "broken after the second run: %s" % broken
        if streams.data_files(target) != self.files:
            yield "the second run left other data files: %s" % sorted(set(self.files) ^ set(streams.data_files(target)))
        if streams.leftovers(target):
            yield "left behind after the second run: %s" % streams.leftovers(target)


def without_effect(ends, modes):
    """Complaints about faults that did not fire: then a sweep in which nothing broke says nothing. Of the runs that got
    to their call nearly all that are to die die, and each other fault makes some run fail."""
    for mode in modes:
        codes = ends[mode]
        hit = sum(code == -signal.SIGKILL if mode in DEADLY else code != 0 for code in codes)
        if hit < max(1, 0.95 * len(codes) if mode in DEADLY else 1):
            yield "%s: only %d of %d runs %s: do the faults fire?" % (
                mode, hit, len(codes), "died" if mode in DEADLY else "failed")


def worth_a_run(call, mode, distinct):
    """A write alone can be torn; a kill is worth it where what it leaves differs from a kill at the next call."""
    name = call.split()[1]
    return name == "write" if mode == "torn" else not (distinct and mode == "kill" and name in UNSEEN)


def sweep(binaries, command, keys, modes, every=1, distinct=False, no_exchange=False, unsigned=False, jobs=2):
    """(calls, runs, [problem]) of one command."""
    work = tempfile.mkdtemp(prefix="faults-", dir=os.environ.get("TMPDIR", "/tmp"))
    try:
        case = Case(work, os.path.abspath(binaries), command, keys, no_exchange, unsigned)
        runs = [(number, mode) for mode in modes for number in range(1, len(case.calls) + 1, every)
                if worth_a_run(case.calls[number - 1], mode, distinct)]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            found = [["%s at call %s: %s" % (mode, case.calls[number - 1], problem) for problem in problems]
                     for (number, mode), problems in zip(runs, pool.map(lambda run: case.problems(*run), runs))]
        found += [["%s: %s" % (command, complaint)] for complaint in without_effect(case.ends, sorted({mode for _, mode in runs}))]
        return len(case.calls), len(runs), found
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--command", action="append", choices=sorted(COMMANDS))
    parser.add_argument("--modes", default="kill,torn,enospc,enospc-on,eio")
    parser.add_argument("--every", type=int, default=1, help="only every Nth call")
    parser.add_argument("--distinct", action="store_true",
                        help="no kill that leaves what a kill at the next call leaves")
    parser.add_argument("--no-exchange", action="store_true", help="as on a file system without RENAME_EXCHANGE")
    parser.add_argument("--unsigned", action="store_true", help="a stream that is not signed, and stays so: a fifth of the time")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    keys = streams.Keys()
    bad = 0
    try:
        print("%-16s %7s %7s %7s %10s" % ("command", "calls", "runs", "broken", "converged"))
        for command in args.command or sorted(COMMANDS):
            calls, runs, found = sweep(args.bin, command, keys, args.modes.split(","), args.every, args.distinct,
                                       args.no_exchange, args.unsigned, args.jobs)
            for problem in [problem for problems in found for problem in problems]:
                print(problem)
            broken = sum(bool(problems) for problems in found)
            bad += broken or not runs
            print("%-16s %7d %7d %7d %9.1f%%" % (command, calls, runs, broken, 100 * (runs - broken) / max(runs, 1)))
        return 1 if bad else 0
    except streams.Broken as broken:
        print("%s" % broken)
        return 1
    finally:
        keys.close()


if __name__ == "__main__":
    sys.exit(main())

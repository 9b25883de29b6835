#!/usr/bin/env python3
"""What the verbs cost on a large stream: 100 products x 400 versions = 160,000 items, a 41 MB products file.

  verbs_bench.py --bin build/release/bin [--runs 5] [--growth] [--janitor] [--signed] [--plot FILE.svg] [VERB...]

J is Python loading that file and writing it again with indent 1 and sorted keys, a process of its own, in the same run.
Prints medians, the ratio to J, what it should be at most, and the peak of memory. --growth: the same with a tenth of the
versions, and how much longer the whole takes (at most 12 times). --janitor: find-orphans and reap-orphans on 200,000
files against find and rm. --signed: what signing adds to insert, against gpg alone. Prints, never judges: machines
differ. Wants 2 GB in $TMPDIR.
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SUBARCHES = "generic,hwe-p,hwe-q,hwe-r,hwe-s,hwe-t,hwe-u,hwe-v,hwe-w,ga-24.04"
STAMP = "Mon, 01 Jan 2024 00:00:00 +0000"
RELEASES = [("xenial", "16.04"), ("bionic", "18.04"), ("focal", "20.04"), ("jammy", "22.04"), ("noble", "24.04")]
ARCHES = ["amd64", "arm64", "armhf", "ppc64el", "s390x"]
KERNELS = ["ga", "hwe", "ga-lowlatency", "hwe-edge"]
J = ("import json,sys\nt=json.load(open(sys.argv[1]))\n"
     "open(sys.argv[2],'w').write(json.dumps(t,indent=1,sort_keys=True))")


def item(root, path, ftype, with_data, more=None):
    data = hashlib.sha256(path.encode()).hexdigest().encode()
    if with_data:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as out:
            out.write(data)
    return dict({"ftype": ftype, "path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}, **more or {})


def make(root, versions, label, data_of=()):
    """A stream with these versions; files only of those in data_of. label 'daily' is part of the ids."""
    part, dot = (":" + label, "." + label) if label != "release" else ("", "")
    content = "com.ubuntu.maas%s:v3:download" % part
    products = {}
    for release, number in RELEASES:
        for arch in ARCHES:
            for kernel in KERNELS:
                def one(version, release=release, arch=arch, kernel=kernel):
                    base, real = "%s/%s/%s" % (release, arch, version), version in data_of
                    package = {"kpackage": "linux-" + kernel}
                    return {"items": {
                        "squashfs": item(root, base + "/squashfs", "squashfs", real),
                        "manifest": item(root, base + "/squashfs.manifest", "manifest", real),
                        "boot-kernel": item(root, "%s/%s/generic/boot-kernel" % (base, kernel), "boot-kernel", real, package),
                        "boot-initrd": item(root, "%s/%s/generic/boot-initrd" % (base, kernel), "boot-initrd", real, package)}}
                products["com.ubuntu.maas%s:v3:boot:%s:%s:%s" % (dot, number, arch, kernel)] = {
                    "arch": arch, "kflavor": "generic", "krel": release, "label": label, "os": "ubuntu", "release": release,
                    "release_codename": release.title(), "release_title": number + " LTS", "subarch": kernel,
                    "subarches": SUBARCHES, "version": number, "versions": {version: one(version) for version in versions}}
    directory = os.path.join(root, "streams/v1")
    os.makedirs(directory, exist_ok=True)
    head = {"datatype": "image-downloads", "format": "products:1.0", "updated": STAMP}
    name = os.path.join(directory, content + ".json")
    with open(name, "w") as out:
        out.write(json.dumps(dict(head, content_id=content, products=products), indent=1, sort_keys=True) + "\n")
    entry = dict(head, path="streams/v1/%s.json" % content, products=sorted(products))
    with open(os.path.join(directory, "index.json"), "w") as out:
        out.write(json.dumps({"format": "index:1.0", "index": {content: entry}, "updated": STAMP}, indent=1,
                             sort_keys=True) + "\n")
    return name


def days(count):
    return [time.strftime("%Y%m%d", time.gmtime(1400000000 + 86400 * i)) for i in range(count)]


def timed(words, stdin=None):
    """(seconds, peak in MB) of a process; its output goes nowhere. Forked by a process that is small itself."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit("verbs_bench: error: %s: status %d: %s" % (words, status, error.decode(errors="replace")))
    return seconds, usage.ru_maxrss / 1024


class World:
    def __init__(self, work, binaries, count):
        self.work, self.util = work, os.path.join(binaries, "meph2-util")
        self.query = os.path.join(binaries, "sstream-query")
        versions = days(count)
        self.middle, self.new = versions[count // 2], "20300101"
        self.json = make(self.path("daily"), versions, "daily", {self.middle})
        make(self.path("one"), [self.new], "daily", {self.new})
        make(self.path("released"), [version for version in versions if version != self.middle], "release")
        with open(self.path("patch.yaml"), "w") as out:
            json.dump({"com.ubuntu.maas:v3:download.json": {
                "com.ubuntu.maas:v3:boot:%s:%s:%s" % (number, arch, kernel): {"support_eol": {"daily": "2031-01-01"}}
                for _, number in RELEASES for arch in ARCHES for kernel in KERNELS}}, out)
        self.half = str(count // 2)

    def path(self, name):
        return os.path.join(self.work, name)

    def fresh(self, name):
        """A copy to work on, its files as hard links where nobody writes to them."""
        target = self.path("target")
        if os.path.exists(target):
            # Not removed: the kernel avoids inodes for a while that have just become free, and that costs time.
            os.rename(target, tempfile.mkdtemp(dir=self.work) + "/target")
        subprocess.run(["cp", "-al", self.path(name), target], check=True)
        os.sync()  # what was written here is not written at the expense of what is measured
        return target

    def commands(self):
        """verb -> (stream that it works on, arguments before the first run, most J, most MB)."""
        target = self.path("target")
        return {
            "insert": ("daily", [self.util, "insert", "-u", self.path("one"), target], .5, 200),
            "promote": ("released", [self.util, "promote", "-u", self.path("daily"), target, self.middle], .5, 200),
            "clean-md": ("daily", [self.util, "clean-md", "-u", self.half, target], .5, 200),
            "remove-version": ("daily", [self.util, "remove-version", "-u", target, self.middle], .5, 200),
            "copy-version": ("daily", [self.util, "copy-version", "-u", target, self.middle, "20300102"], .5, 200),
            "patch": ("daily", [self.util, "patch", "-u", "-i", self.path("patch.yaml"), target], .5, 200),
            "lint": ("daily", [self.util, "lint", "--no-files", target], .5, 128),
            "query": ("daily", [self.query, "--no-verify", target], .35, 48),
        }


def verbs(args, count):
    """{verb: median seconds}; prints the table."""
    work = tempfile.mkdtemp(prefix="verbs-bench-")
    try:
        # The generator's memory must not count as that of what is measured: see ru_maxrss and fork.
        pid = os.fork()
        if pid == 0:
            World(work, args.bin, count)
            os._exit(0)
        if os.waitpid(pid, 0)[1] != 0:
            sys.exit("verbs_bench: error: the stream could not be made")
        world = World.__new__(World)
        world.work, world.util = work, os.path.join(args.bin, "meph2-util")
        world.query = os.path.join(args.bin, "sstream-query")
        world.middle, world.new, world.half = days(count)[count // 2], "20300101", str(count // 2)
        world.json = world.path("daily/streams/v1/com.ubuntu.maas:daily:v3:download.json")
        print("%d versions, products file of %.0f MB, medians of %d" % (count, os.path.getsize(world.json) / 1e6, args.runs))
        j = statistics.median(timed([sys.executable, "-c", J, world.json, world.path("j")])[0] for _ in range(args.runs))
        print("  %-16s %7.2f s" % ("J", j))
        medians = {}

        def row(name, results, most, megabytes):
            seconds = statistics.median(one[0] for one in results)
            peak = max(one[1] for one in results)
            medians[name] = seconds
            print("  %-16s %7.2f s = %.2f J (at most %.2f)   %4.0f MB (at most %d)" %
                  (name, seconds, seconds / j, most, peak, megabytes))

        for name, (stream, words, most, megabytes) in world.commands().items():
            if args.verbs and name not in args.verbs:
                continue
            results, again = [], []
            for _ in range(args.runs):
                world.fresh(stream)
                results.append(timed(words))
                if name == "insert":
                    again.append(timed(words))
            row(name, results, most, megabytes)
            if again:
                row("insert, nothing", again, .2, megabytes)
        return medians
    finally:
        shutil.rmtree(work, ignore_errors=True)


def janitor(args):
    """200,000 files, half of them orphans, against find and rm."""
    work = tempfile.mkdtemp(prefix="verbs-bench-")
    try:
        data, util = os.path.join(work, "data"), os.path.join(args.bin, "meph2-util")
        pid = os.fork()
        if pid == 0:
            versions = days(400)
            make(data, versions, "daily", set(versions))
            for i in range(100000):
                os.makedirs(os.path.join(data, "lost/%d" % (i // 100)), exist_ok=True)
                with open(os.path.join(data, "lost/%d/%d" % (i // 100, i)), "w") as out:
                    out.write("x")
            os._exit(0)
        os.waitpid(pid, 0)
        orphans = os.path.join(work, "orphans.json")
        floor = statistics.median(timed(["sh", "-c", "find '%s' -type f | wc -l" % data])[0] for _ in range(args.runs))
        found = [timed([util, "find-orphans", orphans, data]) for _ in range(args.runs)]
        seconds = statistics.median(one[0] for one in found)
        print("  find-orphans     %7.2f s = %.2f x find -type f | wc -l, %.2f s (at most 3)   %4.0f MB (at most 64)" %
              (seconds, seconds / floor, floor, max(one[1] for one in found)))
        # All copies are made before the first is taken apart: the kernel avoids inodes for a while that have just become
        # free, and making files then takes minutes.
        copies = [os.path.join(work, "copy%d" % i) for i in range(2 * min(args.runs, 3))]
        for copy in copies:
            subprocess.run(["cp", "-a", data, copy], check=True)
        reaped, removed = [], []
        while copies:
            copy = copies.pop()
            subprocess.run([util, "find-orphans", orphans + ".copy", copy], check=True, stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL)
            subprocess.run(["sync", "-f", work], check=True)
            reaped.append(timed([util, "reap-orphans", "--now", "--yes", "--trash", "0s", orphans + ".copy", copy])[0])
            copy = copies.pop()
            subprocess.run(["sync", "-f", work], check=True)
            removed.append(timed(["sh", "-c", "cd '%s' && find lost -type f -print0 | xargs -0 rm && sync -f ." % copy])[0])
        print("  reap of 100,000  %7.2f s = %.2f x rm of the same list and a sync, %.2f s (at most 3)" %
              (statistics.median(reaped), statistics.median(reaped) / statistics.median(removed), statistics.median(removed)))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def signing(args):
    """What two signatures and reading them back add to an insert, against gpg itself doing the same side by side."""
    work = tempfile.mkdtemp(prefix="verbs-bench-")
    os.environ["GNUPGHOME"] = os.path.join(work, "gpg")
    os.mkdir(os.environ["GNUPGHOME"], 0o700)
    gpg = ["gpg", "--batch", "--quiet", "--yes"]
    try:
        subprocess.run(gpg + ["--passphrase", "", "--quick-generate-key", "bench <bench@example.org>", "ed25519", "sign"],
                       check=True, stderr=subprocess.DEVNULL)
        pid = os.fork()
        if pid == 0:
            World(work, args.bin, 400)
            os._exit(0)
        os.waitpid(pid, 0)
        world = World.__new__(World)
        world.work = work
        products = world.path("daily/streams/v1/com.ubuntu.maas:daily:v3:download.json")
        both = ("{0} -a -o {1}.gpg --detach-sign {1} & {0} -o {1}.asc --clearsign {1} & wait; "
                "{0} --verify {1}.gpg {1} 2>/dev/null & {0} -o - {1}.asc 2>/dev/null | cmp - {1} & wait").format(
                    " ".join(gpg), world.path("document"))
        shutil.copy(products, world.path("document"))
        results = {"plain": [], "signed": [], "gpg": []}
        for _ in range(args.runs):
            target = world.fresh("daily")
            insert = [os.path.join(args.bin, "meph2-util"), "insert", world.path("one"), target]
            results["plain"].append(timed(insert[:2] + ["-u"] + insert[2:]))
            world.fresh("daily")
            results["signed"].append(timed(insert))
            results["gpg"].append(timed(["sh", "-c", both]))
        plain, signed, alone = (statistics.median(one[0] for one in results[name]) for name in ("plain", "signed", "gpg"))
        print("  insert, signed   %7.2f s: %.2f s more than unsigned = %.2f x gpg alone, %.2f s (about 1)   %4.0f MB" %
              (signed, signed - plain, (signed - plain) / alone, alone, max(one[1] for one in results["signed"])))
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)
        shutil.rmtree(work, ignore_errors=True)


def plot(path, small, large):
    """The growth of each verb as a little SVG: lines that are no steeper than the grey one are linear."""
    top = max(large.values())
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="480" height="360" font-size="11">',
             '<text x="10" y="16">seconds at 40 and at 400 versions a product</text>',
             '<line x1="60" y1="300" x2="420" y2="300" stroke="#999"/>']
    for name in sorted(large):
        y1, y2 = (320 - 280 * value / top for value in (small[name], large[name]))
        lines.append('<line x1="96" y1="%.0f" x2="420" y2="%.0f" stroke="#369"/><text x="424" y="%.0f">%s</text>' %
                     (y1, y2, y2, name[:8]))
    with open(path, "w") as out:
        out.write("\n".join(lines + ["</svg>\n"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--janitor", action="store_true")
    parser.add_argument("--signed", action="store_true")
    parser.add_argument("--plot")
    parser.add_argument("verbs", nargs="*")
    args = parser.parse_args()
    args.bin = os.path.abspath(args.bin)
    if args.signed:
        signing(args)
        return
    large = verbs(args, 400)
    if args.growth or args.plot:
        small = verbs(args, 40)
        for name in large:
            print("  %-16s grows %.1f times for ten times the versions (at most 12)" % (name, large[name] / small[name]))
        if args.plot:
            plot(args.plot, small, large)
    if args.janitor:
        janitor(args)


if __name__ == "__main__":
    main()

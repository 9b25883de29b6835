#!/usr/bin/env python3
"""What verifying costs: verify_bench.py --bin build/release/bin [--runs 5] [--gigabytes 4]

verify --data of 40 files, two at a time, against `xargs -P2 sha256sum` of the same files (at most 1.1 times); again, when
nobody touched them, against `stat` of them all (at most 2 times), there and on 100,000 small files. Medians of runs that
take turns. Prints, never judges: machines differ. Wants the gigabytes in $TMPDIR; the files stay in the page cache if they
fit.
"""
import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

STAMP = "Mon, 01 Jan 2024 00:00:00 +0000"
CONTENT = "com.example:bench:download"


def seconds(command, **options):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.monotonic() - start


def make(root, count, size):
    """A stream of so many files of that size, ten to a version."""
    block = os.urandom(min(size, 1 << 20))
    versions = {}
    for i in range(count):
        path = "x/%d/%d" % (i // 10, i)
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        digest = hashlib.sha256()
        with open(full, "wb") as out:
            for part in range(0, size, len(block)):
                piece = (b"%016d" % (i * 1000003 + part) + block[16:])[:size - part]
                out.write(piece)
                digest.update(piece)
        versions.setdefault("2024%06d" % (i // 10), {"items": {}})["items"][str(i)] = {
            "ftype": "squashfs", "path": path, "sha256": digest.hexdigest(), "size": size}
    os.makedirs(os.path.join(root, "streams/v1"))
    for name, tree in ((CONTENT, {"content_id": CONTENT, "datatype": "image-downloads", "format": "products:1.0",
                                  "products": {"p": {"versions": versions}}, "updated": STAMP}),
                       ("index", {"format": "index:1.0", "updated": STAMP, "index": {CONTENT: {
                           "datatype": "image-downloads", "format": "products:1.0", "products": ["p"],
                           "path": "streams/v1/%s.json" % CONTENT, "updated": STAMP}}})):
        with open(os.path.join(root, "streams/v1", name + ".json"), "w") as out:
            json.dump(tree, out, indent=1, sort_keys=True)


def compare(name, ours, theirs, limit):
    a, b = statistics.median(ours), statistics.median(theirs)
    print("  %-28s %8.3f s = %.2f x %.3f s (at most %.1f)" % (name, a, a / b, b, limit))


def again(util, root, runs, name):
    """What is remembered, against stat of every file."""
    stat = "find x -type f -print0 | xargs -0 stat -c '%i %s %Y %Z' >/dev/null"
    subprocess.run([util, "verify", "--data", root], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(seconds([util, "verify", "--data", root]))
        theirs.append(seconds(["sh", "-c", stat], cwd=root))
    compare(name, ours, theirs, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=4)
    args = parser.parse_args()
    util = os.path.join(os.path.abspath(args.bin), "meph2-util")
    work = tempfile.mkdtemp(prefix="verify-bench-")
    try:
        large, small = os.path.join(work, "large"), os.path.join(work, "small")
        make(large, 40, int(args.gigabytes * (1 << 30) / 40))
        make(small, 100000, 1000)
        time.sleep(3)  # what was written a moment ago is not remembered
        ours, theirs = [], []
        for _ in range(args.runs):
            ours.append(seconds([util, "verify", "--paranoid", "--jobs", "2", large]))
            theirs.append(seconds(["sh", "-c", "find x -type f -print0 | xargs -0 -n1 -P2 sha256sum >/dev/null"], cwd=large))
        print("%g GiB in 40 files; medians of %d" % (args.gigabytes, args.runs))
        compare("verify --paranoid", ours, theirs, 1.1)
        again(util, large, args.runs, "again, 40 files")
        again(util, small, args.runs, "again, 100,000 files")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Memory and time of listing and editing a large products file, against Python's json in the same run.

  model_bench.py BENCH_MODEL [--megabytes 100] [--runs 5]

Holds: list peaks below 64 MB, edit below 5 x the file. Exit status 1 if it does not.
"""
import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile

PYTHON = {
    "list": "import json,sys\nt=json.load(open(sys.argv[1]))\nn=sum(len(i['path']) for p in t['products'].values() "
            "for v in p['versions'].values() for i in v['items'].values())\n",
    "edit": "import json,sys\nt=json.load(open(sys.argv[1]))\nt['updated']='now'\nwith open(sys.argv[2],'w') as f:\n"
            " f.write(json.dumps(t,indent=1,sort_keys=True,separators=(',',': '))+'\\n')\nn=0\n",
}
TAIL = "import resource\nprint(n, round(time.time()-start,3), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"


def generate(path, size):
    """A MAAS shaped stream: products of 20 versions of 4 items."""
    products = {}
    total = 0
    n = 0
    while total < size:
        versions = {}
        for day in range(20):
            version = "202401%02d" % (day + 1)
            items = {}
            for ftype in ("boot-initrd", "boot-kernel", "manifest", "squashfs"):
                where = "noble/amd64/%s/ga-%d/generic/%s" % (version, n, ftype)
                items[ftype] = {"ftype": ftype, "kpackage": "linux-generic", "path": where, "size": 1000 + day,
                                "sha256": hashlib.sha256(where.encode()).hexdigest()}
            versions[version] = {"items": items}
        product = {"arch": "amd64", "kflavor": "generic", "krel": "noble", "label": "candidate", "os": "ubuntu", "release": "noble",
                   "release_title": "24.04 LTS", "subarch": "ga-%d" % n, "subarches": "generic,ga-%d" % n, "version": "24.04",
                   "versions": versions}
        products["com.ubuntu.maas.candidate:v3:boot:24.04:amd64:ga-%06d" % n] = product
        if n % 100 == 0:
            step = len(json.dumps({"p": product}, indent=1))
        total += step
        n += 1
    tree = {"content_id": "com.ubuntu.maas:candidate:v3:download", "datatype": "image-downloads", "format": "products:1.0",
            "products": products, "updated": "Mon, 01 Jan 2024 00:00:00 +0000"}
    with open(path, "w") as fp:
        fp.write(json.dumps(tree, indent=1, sort_keys=True, separators=(",", ": ")) + "\n")


def run(command):
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(words[1]), int(words[2]) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as work:
        path, out = os.path.join(work, "products.json"), os.path.join(work, "out.json")
        child = os.fork()  # a large parent's memory would count as its children's peak
        if child == 0:
            generate(path, args.megabytes * 1000000)
            os._exit(0)
        os.waitpid(child, 0)
        size = os.path.getsize(path)
        print("products file: %.1f MB" % (size / 1e6))
        for verb, limit in (("list", 64e6), ("edit", 5 * size)):
            ours, theirs = [], []
            for _ in range(args.runs):
                ours.append(run([os.path.abspath(args.bench), verb, path, out]))
                theirs.append(run([sys.executable, "-c", "import time\nstart=time.time()\n" + PYTHON[verb] + TAIL, path, out]))
            seconds, peak = statistics.median(s for s, _ in ours), max(m for _, m in ours)
            python, python_peak = statistics.median(s for s, _ in theirs), max(m for _, m in theirs)
            print("%s: %.2f s, peak %.0f MB (limit %.0f MB); Python json: %.2f s, peak %.0f MB; ratio of medians %.2f"
                  % (verb, seconds, peak / 1e6, limit / 1e6, python, python_peak / 1e6, seconds / python))
            good = good and peak < limit
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

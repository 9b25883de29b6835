#!/usr/bin/env python3
"""What whole commands cost: start-up, a sync with nothing to do, an edit of a large stream.

  commands_bench.py --bin build/release/bin [start sync edit]

Medians of runs in this very process; prints, never judges: machines differ.
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

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ["meph2-util", "meph2-build", "meph2-cloudimg-sync", "maas-cloudimg2eph2"]


def median_ms(arguments, runs, **more):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def start(args, _work):
    print("start-up (median of 41, --version):")
    floor = median_ms(["/bin/true"], 41)
    print("  %-24s %6.1f ms" % ("/bin/true", floor))
    for program in PROGRAMS:
        print("  %-24s %6.1f ms" % (program, median_ms([os.path.join(args.bin, program), "--version"], 41)))


def cloud_stream(root, releases, arches):
    """A cloud-images style source of one version each, files of a few bytes."""
    products = {}
    for release, version in releases:
        for arch in arches:
            path = "server/%s/20260101/%s.squashfs" % (release, arch)
            data = path.encode()
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            open(os.path.join(root, path), "wb").write(data)
            products["com.ubuntu.cloud.daily:server:%s:%s" % (version, arch)] = {
                "arch": arch, "os": "ubuntu", "release": release, "version": version, "versions": {"20260101": {"items": {
                    "squashfs": {"ftype": "squashfs", "path": path, "size": len(data),
                                 "sha256": hashlib.sha256(data).hexdigest()}}}}}
    write(os.path.join(root, "streams/v1/com.ubuntu.cloud:daily:download.json"), {
        "content_id": "com.ubuntu.cloud:daily:download", "datatype": "image-downloads", "format": "products:1.0",
        "products": products, "updated": "Thu, 01 Jan 2026 00:00:00 +0000"})


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        json.dump(value, out, indent=1, sort_keys=True)


def sync(args, work):
    arches = ["amd64", "arm64", "armhf", "ppc64el", "s390x", "riscv64", "i386"]
    source, output = os.path.join(work, "source"), os.path.join(work, "output")
    cloud_stream(source, [("noble", "24.04"), ("jammy", "22.04"), ("focal", "20.04"), ("bionic", "18.04"),
                          ("xenial", "16.04")], arches)
    target = os.path.join(output, "streams/v1/com.ubuntu.maas:candidate:v3:download.json")
    env = dict(os.environ, MAAS_CLOUDIMG2EPH2=os.path.join(HERE, "../../bin/fake-maas-cloudimg2eph2"))
    command = [os.path.join(args.bin, "meph2-cloudimg-sync"), "--config", os.path.join(HERE, "../../conf/meph-v3.yaml"),
               "--arches", ",".join(arches), "--no-sign", "--source",
               os.path.join(source, "streams/v1/com.ubuntu.cloud:daily:download.json")]
    subprocess.run(command + ["--target", "force", output], env=env, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    products = len(json.load(open(target))["products"])
    took = median_ms(command + ["--target", target, output], 21, env=env)
    print("cloudimg-sync with nothing to do, %d products in the target: %.1f ms (median of 21)" % (products, took))


def edit(args, work):
    """One version into a target of about 100 MB."""
    item = {"ftype": "squashfs", "sha256": "0" * 64, "size": 1}
    target, source = os.path.join(work, "large"), os.path.join(work, "one")
    name, products = "com.example:large:download", {}
    for number in range(400):
        products["com.example:p:%04d" % number] = {"arch": "amd64", "label": "daily", "versions": {
            "2024%04d" % version: {"items": {
                "item-%02d" % leaf: dict(item, path="x/%04d/%04d/%02d" % (number, version, leaf))
                for leaf in range(10)}} for version in range(110)}}
    head = {"content_id": name, "datatype": "image-downloads", "format": "products:1.0",
            "updated": "Thu, 01 Jan 2026 00:00:00 +0000"}
    path = os.path.join(target, "streams/v1/%s.json" % name)
    write(path, dict(head, products=products))
    os.makedirs(os.path.join(source, "x"))
    open(os.path.join(source, "x/new"), "wb").write(b"new")
    write(os.path.join(source, "streams/v1/%s.json" % name), dict(head, products={"com.example:p:0000": {
        "arch": "amd64", "label": "daily", "versions": {"20250101": {"items": {"item": {
            "ftype": "squashfs", "path": "x/new", "size": 3, "sha256": hashlib.sha256(b"new").hexdigest()}}}}}}))
    size = os.path.getsize(path)
    start_time = time.perf_counter()
    peak = peak_bytes([os.path.join(args.bin, "meph2-util"), "insert", "--no-sign",
                       os.path.join(source, "streams/v1/%s.json" % name), target])
    print("insert into a stream of %.0f MB: %.1f s, peak %.0f MB = %.1f x its size" % (
        size / 1e6, time.perf_counter() - start_time, peak / 1e6, peak / size))


def peak_bytes(command):
    """Runs a command from a small process: a child's peak counts what its parent had when it forked."""
    program = ("import resource, subprocess, sys\n"
               "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
    done = subprocess.run([sys.executable, "-c", program] + command, check=True, stdout=subprocess.PIPE)
    return int(done.stdout) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("what", nargs="*", default=["start", "sync", "edit"])
    args = parser.parse_args()
    args.bin = os.path.abspath(args.bin)
    work = tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("TMPDIR", "/tmp"))
    try:
        for what in args.what:
            {"start": start, "sync": sync, "edit": edit}[what](args, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

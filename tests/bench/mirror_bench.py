#!/usr/bin/env python3
"""What sstream-mirror costs: large files, many files, nothing new, and memory.

  mirror_bench.py --bin build/release/bin [--only large,many,idle,memory,list] [--tmpfs DIR]

large   1 GiB in 8 files from a loopback server, hashed and fsynced, against `curl --parallel` of them followed by sync, and
        `xargs -P2 sha256sum` of them
many    10,000 files of 4 KiB into a tmpfs (--tmpfs, default /dev/shm), against wget and `curl --parallel` of them (as
        it comes, with 50 at once, and with four as the mirror), which neither hash nor name them in one step
idle    a mirror with nothing new: requests and time
memory  the peak for one large file and for many small ones, and for a list of 160,000 items in 41 MB
The server is a process of its own that forks per connection and uses sendfile(2). Prints, never judges: machines differ.
Wants 3 GB in $TMPDIR.
"""
import argparse
import hashlib
import json
import os
import random
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

STAMP = "Mon, 01 Jan 2024 00:00:00 +0000"


def serve(root, log):
    """A keep-alive server for GET, Range and If-None-Match, one process for each connection. Returns (port, pid)."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    port = listener.getsockname()[1]
    pid = os.fork()
    if pid:
        listener.close()
        return port, pid
    import signal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            try:
                answer(client, root, log)
            except OSError:
                pass
            os._exit(0)
        client.close()


def answer(client, root, log):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = b""
    journal = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        while b"\r\n\r\n" not in buffer:
            more = client.recv(65536)
            if not more:
                return
            buffer += more
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        path = head.split(b" ", 2)[1].decode().lstrip("/").replace("%3A", ":")
        if path.startswith("streams/"):
            os.write(journal, ("GET %s\n" % path).encode())
        try:
            source = os.open(os.path.join(root, path), os.O_RDONLY)
        except OSError:
            client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            continue
        status = os.fstat(source)
        tag = '"%x-%x"' % (status.st_mtime_ns, status.st_size)
        if ("If-None-Match: " + tag).encode() in head:
            client.sendall(("HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n" % tag).encode())
            os.close(source)
            continue
        ranged = re.search(rb"Range: bytes=(\d+)-", head)
        first = int(ranged.group(1)) if ranged else 0
        size = status.st_size - first
        line = "206 Partial Content\r\nContent-Range: bytes %d-%d/%d" % (first, status.st_size - 1, status.st_size) \
            if ranged else "200 OK"
        lines = ("HTTP/1.1 %s\r\nContent-Length: %d\r\nETag: %s\r\n\r\n" % (line, size, tag)).encode()
        if size <= 65536:
            client.sendall(lines + os.pread(source, size, first))
        else:
            client.sendall(lines)
            while size > 0:
                sent = os.sendfile(client.fileno(), source, first, size)
                first, size = first + sent, size - sent
        os.close(source)


def write_stream(root, versions):
    """versions: {product: {version: {item: node}}}"""
    os.makedirs(os.path.join(root, "streams/v1"))
    products = {name: {"arch": "amd64", "versions": {version: {"items": items} for version, items in below.items()}}
                for name, below in versions.items()}
    tree = {"content_id": "c", "datatype": "image-downloads", "format": "products:1.0", "products": products,
            "updated": STAMP}
    index = {"format": "index:1.0", "updated": STAMP,
             "index": {"c": {"format": "products:1.0", "path": "streams/v1/c.json", "products": sorted(products)}}}
    for name, value in (("c", tree), ("index", index)):
        with open(os.path.join(root, "streams/v1/%s.json" % name), "w") as out:
            out.write(json.dumps(value, indent=1, sort_keys=True) + "\n")


def in_child(work, *arguments):
    """A process's peak counts what its parent had when it was started: this one has to stay small."""
    pid = os.fork()
    if pid == 0:
        try:
            work(*arguments)
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit("cannot make the source")


def make_files(root, count, size):
    in_child(make_files_here, root, count, size)
    return ["data/%06d" % number for number in range(count)]


def make_files_here(root, count, size):
    """Four to a version, as in streams: one version at a time is in memory."""
    versions = {}
    os.makedirs(os.path.join(root, "data"))
    for number in range(count):
        path = "data/%06d" % number
        digest = hashlib.sha256()
        with open(os.path.join(root, path), "wb") as out:
            left = size
            while left > 0:
                piece = random.Random(number * 1000003 + left).randbytes(min(left, 1 << 20))
                out.write(piece)
                digest.update(piece)
                left -= len(piece)
        versions.setdefault("%08d" % (number // 4), {})["i%d" % (number % 4)] = {
            "ftype": "data", "path": path, "size": size, "sha256": digest.hexdigest()}
    write_stream(root, {"p": versions})


def make_list(root):
    digest = "0123456789abcdef" * 4
    write_stream(root, {"com.example:product:%03d" % p: {
        "2026%04d" % v: {name: {"ftype": name, "path": "r/%03d/%04d/%s" % (p, v, name), "sha256": digest, "size": 7}
                         for name in ("squashfs", "manifest", "kernel", "initrd")} for v in range(400)} for p in range(100)})


def run(command, **more):
    """(seconds, peak of memory in MB)"""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    if status != 0:
        sys.exit("%s: %s" % (" ".join(command[:8]), error.decode()))
    return time.monotonic() - start, usage.ru_maxrss / 1024


class Bench:
    def __init__(self, args, work):
        self.mirror = [os.path.join(args.bin, "sstream-mirror"), "--no-progress", "--no-sign"]
        self.work, self.tmpfs = work, args.tmpfs
        self.servers = []

    def source(self, name):
        root = os.path.join(self.work, name)
        os.makedirs(root)
        port, pid = serve(root, os.path.join(self.work, name + ".log"))
        self.servers.append(pid)
        return root, "http://127.0.0.1:%d/" % port

    def curl(self, url, paths, into, most=("--parallel-max", "4")):
        os.makedirs(into)
        config = os.path.join(self.work, "curl.conf")
        with open(config, "w") as out:
            for path in paths:
                out.write('url = "%s%s"\noutput = "%s/%s"\n' % (url, path, into, os.path.basename(path)))
        return run(["curl", "--silent", "--parallel", *most, "--config", config])[0]

    def large(self):
        root, url = self.source("large")
        paths = make_files(root, 8, 128 << 20)
        subprocess.run(["sync"], check=True)
        files = [os.path.join(root, path) for path in paths]
        curls, sums, mirrors, memory = [], [], [], 0
        copy, target = os.path.join(self.work, "large-curl"), os.path.join(self.work, "large-mirror")

        def curl():
            curls.append(self.curl(url, paths, copy) + run(["sync"])[0])

        def mirror():
            nonlocal memory
            mirrored, peak = run(self.mirror + [url, target])
            mirrors.append(mirrored)
            memory = max(memory, peak)

        for turn in range(6):  # whoever comes second writes more slowly here, so they take turns at that, too
            for write in (curl, mirror) if turn % 2 == 0 else (mirror, curl):
                write()
            sums.append(run(["xargs", "-P2", "-n1", "sha256sum"], stdin=self.words(files))[0])
            shutil.rmtree(copy)
            shutil.rmtree(target)
            subprocess.run(["sync"], check=True)
        fetched, hashed, mirrored = (statistics.median(times) for times in (curls, sums, mirrors))
        print("large: mirror %.2f s; curl --parallel and sync %.2f s; xargs -P2 sha256sum %.2f s (medians of 6); ratio to the "
              "slower %.2f; peak %.0f MB" % (mirrored, fetched, hashed, mirrored / max(fetched, hashed), memory))

    def words(self, files):
        name = os.path.join(self.work, "words")
        with open(name, "w") as out:
            out.write("\n".join(files))
        return open(name)

    def many(self):
        root, url = self.source("many")
        paths = make_files(root, 10000, 4096)
        lists = os.path.join(self.work, "urls")
        with open(lists, "w") as out:
            out.writelines(url + path + "\n" for path in paths)
        times, peaks = {}, []
        for turn in range(7):  # each in turn, in another order each time: nobody always comes after the same one
            with tempfile.TemporaryDirectory(dir=self.tmpfs) as target:
                took = self.many_once(turn, url, paths, lists, target, peaks)
            for name, seconds in took.items():
                times.setdefault(name, []).append(seconds)
        rate = {name: 10000 / statistics.median(seconds) for name, seconds in times.items()}
        fetching = 10000 / statistics.median(m - l for m, l in zip(times["mirror"], times["list"]))
        print("many: mirror %.0f files/s (%.0f without the list: reading, checking and publishing it), peak %.0f MB; wget "
              "%.0f; curl --parallel %.0f, of four at once %.0f, and sha256sum of them %.0f (medians of 7); ratios %.2f, %.2f, "
              "%.2f, %.2f" % (rate["mirror"], fetching, max(peaks), rate["wget"], rate["curl"], rate["curl4"], rate["sums"],
                              *(rate["mirror"] / rate[name] for name in ("wget", "curl", "curl4", "sums"))))

    def many_once(self, seed, url, paths, lists, target, peaks):
        """Seconds of each, in an order of this seed's."""
        took = {}

        def curl():
            took["curl"] = self.curl(url, paths, os.path.join(target, "curl"), most=())

        def curl4():
            files = os.path.join(target, "curl4")
            took["curl4"] = self.curl(url, paths, files)
            took["sums"] = took["curl4"] + run(["sh", "-c", "cd '%s' && ls | xargs -n 1000 sha256sum" % files])[0]

        def wget():
            took["wget"] = run(["wget", "--quiet", "--input-file", lists, "--directory-prefix",
                                os.path.join(target, "wget")])[0]

        def mirror():
            took["mirror"], peak = run(self.mirror + [url, os.path.join(target, "mirror")])
            peaks.append(peak)

        def metadata():
            took["list"] = run(self.mirror + ["--no-item-download", url, os.path.join(target, "list")])[0]

        order = [curl, curl4, wget, mirror, metadata]
        random.Random(seed).shuffle(order)
        for work in order:
            work()
        return took

    def idle(self):
        root, url = self.source("idle")
        make_files(root, 100, 1000)
        target = os.path.join(self.work, "idle-mirror")
        run(self.mirror + [url, target])
        log = os.path.join(self.work, "idle.log")
        before = len(open(log).readlines())
        times = sorted(run(self.mirror + [url, target])[0] for _ in range(11))
        requests = len(open(log).readlines()) - before
        print("idle: median %.1f ms; %.1f requests a run for 2 documents" % (times[5] * 1000, requests / 11))

    def memory(self):
        for count, size in ((100, 1000), (1, 1 << 20), (1, 1 << 30), (100000, 100)):
            root, url = self.source("memory-%d-%d" % (count, size))
            make_files(root, count, size)
            target = os.path.join(self.tmpfs if size < 1 << 20 else self.work, "mirror-bench-%d-%d" % (count, size))
            try:
                seconds, peak = run(self.mirror + [url, target])
                print("memory: %6d files of %10d bytes: peak %.0f MB, %.1f s" % (count, size, peak, seconds))
            finally:
                shutil.rmtree(target, ignore_errors=True)
                shutil.rmtree(root)
        self.list()

    def list(self):
        root, url = self.source("memory-list")
        in_child(make_list, root)
        size = os.path.getsize(os.path.join(root, "streams/v1/c.json"))
        for number, options in enumerate((["--no-item-download"], ["--dry-run"], ["--no-item-download", "--max=2"])):
            target = os.path.join(self.work, "list%d" % number)
            seconds, peak = run(self.mirror + options + [url, target])
            print("memory: a list of 160,000 items, %.0f MB, %s: peak %.0f MB, %.1f s"
                  % (size / 1e6, " ".join(options), peak, seconds))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", default="large,many,idle,memory")
    parser.add_argument("--tmpfs", default="/dev/shm")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
    work = tempfile.mkdtemp(prefix="mirror-bench-")
    bench = Bench(args, work)
    try:
        for name in args.only.split(","):
            getattr(bench, name)()
    finally:
        for pid in bench.servers:
            os.kill(pid, 15)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kill sstream-mirror at random moments over a slow server, and look at what the server is asked for afterwards.

After each kill the disk says what has been fetched; the requests of all later runs must respect that: a file that was
whole is not asked for again, and one that was there in part is asked for from exactly that byte on. In the end the
mirror is whole, by a plain sha256, and publishes nothing before.

Usage: tests/fault/mirror_killed.py --bin DIR [--kills N] [--seed N] [--files N --size N] [--longest SECONDS]

  --bin DIR    the built programs
  --kills N    how often (default 20)
  --seed N     of the moments (default 1)
  --files N    of the source (default 40)
  --size N     bytes of each (default 655360): with small ones, several batches are on their way when the kill comes
  --longest N  the latest moment, in seconds from the first request (default 0.5)
"""
import argparse
import hashlib
import http.server
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import streams

PIECE = 8 * 1024
PAUSE = 0.02  # 400 kB/s on each of four connections: the whole takes 16 s
LAST_KILL = 120  # seconds after which the machine is too slow for this test

log = []  # (path, first byte) of each request for data
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root = ""

    def do_GET(self):
        path = os.path.join(self.root, self.path.lstrip("/"))
        if not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as source:
            body = source.read()
        first = 0
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match:
            first = int(match.group(1))
        slow = "/streams/" not in self.path
        if slow:
            with lock:
                log.append((self.path.lstrip("/"), first))
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(body) - 1, len(body)))
        self.send_header("Content-Length", str(len(body) - first))
        self.send_header("ETag", '"%s"' % hashlib.md5(body).hexdigest())
        self.end_headers()
        try:
            for at in range(first, len(body), PIECE if slow else len(body)):
                self.wfile.write(body[at:at + PIECE] if slow else body)
                if slow:
                    time.sleep(PAUSE)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


def make_source(root, files, size):
    """One product with so many files of so many bytes; their digests by path."""
    sums, items = {}, {}
    for number in range(files):
        path = "data/%02d" % number
        data = random.Random(number).randbytes(size)
        streams.write(os.path.join(root, path), data)
        sums[path] = hashlib.sha256(data).hexdigest()
        items["i%02d" % number] = {"ftype": "data", "path": path, "size": size, "sha256": sums[path]}
    streams.write(os.path.join(root, "streams/v1/c.json"), streams.dump({
        "content_id": "c", "datatype": "image-downloads", "format": "products:1.0", "updated": streams.OLD_STAMP,
        "products": {"p": {"versions": {"20260101": {"items": items}}}}}))
    streams.write(os.path.join(root, "streams/v1/index.json"), streams.dump({
        "format": "index:1.0", "updated": streams.OLD_STAMP,
        "index": {"c": {"format": "products:1.0", "path": "streams/v1/c.json", "products": ["p"]}}}))
    return sums


def on_disk(target, sums, size):
    """Path -> bytes that are there, under its own name or waiting below txn/."""
    by_name = {"%s-%d" % (digest, size): path for path, digest in sums.items()}
    found = {}
    for top, _, names in os.walk(os.path.join(target, ".data/.sstream/txn")):
        for name in names:
            if name in by_name:
                found[by_name[name]] = os.path.getsize(os.path.join(top, name))
    for path in sums:
        if os.path.exists(os.path.join(target, path)):
            found[path] = size
    return found


def check_requests(since, had, size, problems):
    first_seen = set()
    for path, first in log[since:]:
        if path in first_seen:
            continue
        first_seen.add(path)
        there = had.get(path, 0)
        if there == size:
            problems.append("%s was whole and is fetched again" % path)
        elif first != there:
            problems.append("%s: %d bytes were there, asked for from %d on" % (path, there, first))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--size", type=int, default=640 * 1024)
    parser.add_argument("--longest", type=float, default=0.5)
    args = parser.parse_args()
    work = tempfile.mkdtemp(prefix="mirror-killed-")
    source, target = os.path.join(work, "source"), os.path.join(work, "mirror")
    sums = make_source(source, args.files, args.size)
    Handler.root = source
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # who was killed resets its connections
    threading.Thread(target=server.serve_forever, daemon=True).start()
    command = [os.path.join(args.bin, "sstream-mirror"), "--no-sign", "--no-progress", "--jobs=4",
               "http://127.0.0.1:%d/" % server.server_port, target]
    moments = random.Random(args.seed)
    problems, kills, begun = [], 0, time.monotonic()
    had = {}
    try:
        while kills < args.kills:
            since = len(log)
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            # A moment after it has asked for its first file, wherever it is then.
            while len(log) == since and process.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, args.longest))
            if process.poll() is not None:
                problems.append("ended by itself after %d kills: %s" % (kills, process.stderr.read().decode()))
                break
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
            check_requests(since, had, args.size, problems)
            had = on_disk(target, sums, args.size)
            if os.path.exists(os.path.join(target, "streams/v1")):
                problems.append("published before it was whole")
            if time.monotonic() - begun > LAST_KILL:
                print("SKIPPED: only %d kills in %d s" % (kills, LAST_KILL))
                return 77
        since = len(log)
        fetched = sum(had.values())
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        check_requests(since, had, args.size, problems)
        if run.returncode != 0:
            problems.append("the last run: exit %d: %s" % (run.returncode, run.stderr))
        for path, digest in sums.items():
            try:
                with open(os.path.join(target, path), "rb") as copy:
                    if hashlib.sha256(copy.read()).hexdigest() != digest:
                        problems.append("%s is not what it should be" % path)
            except OSError as error:
                problems.append(str(error))
        if os.listdir(os.path.join(target, ".data/.sstream/txn")):
            problems.append("something is left below txn/")
        again = len(log)
        subprocess.run(command, capture_output=True, timeout=120, check=True)
        if len(log) != again:
            problems.append("a run with nothing new fetches files")
        print(json.dumps({"kills": kills, "requests": len(log), "fetched_before_the_last_run": fetched,
                          "of": args.files * args.size, "problems": len(problems)}))
        for problem in problems:
            print("FAIL:", problem)
        return 1 if problems else 0
    finally:
        server.shutdown()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Check the golden cases by value, not byte for byte (standard library, gpg, gpgv).

  compare_values.py --bin DIR [--cases DIR] [--case GLOB]... [--all] [-v]

Per case, after running its commands in a fresh copy of its tree:
  exit     recorded 0 must be 0; recorded non-zero must be non-zero
  stdout   equal, for cases whose first word of `covers` is query or diff; else not compared
  streams  every products file and index under */streams/v1: the flattened items (tags inherited, values as
           strings, without updated, format, datatype) of each content id must be equal; index: same content ids,
           same products, same paths (the extension aside)
  data     every other file that the recording has must be there with the same content (links followed), and none
           that it lacks, private state (.data/, *.part) and logs aside
  orphans  the orphan file as a mapping
  signed   what the recording shows as good must verify
Cases in which the established tool is wrong (`bug` in meta.json) are skipped unless --all; where we differ on
purpose, deviations.json says in what and why.
Exit status: 0 all equal, 1 some differ.
"""
import argparse
import fnmatch
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run_golden  # noqa: E402

HERE = run_golden.HERE

PROGRAMS = {"meph2-build", "meph2-cloudimg-sync", "meph2-util", "sstream-mirror", "sstream-query"}
DROP = {"updated", "format", "datatype"}


def flat(tree):
    """{(product, version, item): {tag: str}} with inherited tags."""
    def scalars(node):
        return {k: str(v) for k, v in node.items() if isinstance(v, (str, int, float, bool)) and k not in DROP}
    out = {}
    for pname, product in tree.get("products", {}).items():
        for vname, version in product.get("versions", {}).items():
            for iname, item in version.get("items", {}).items():
                tags = {}
                for node in (tree, product, version, item):
                    tags.update(scalars(node))
                out[(pname, vname, iname)] = tags
    return out


def payload(data):
    text = data.decode(errors="replace")
    return text.split("\n", 1)[1] if text.startswith("@") else text


def documents(files):
    """{content id or 'index of DIR': value} of all stream documents among {rel: normalised bytes}."""
    out = {}
    for rel, data in files.items():
        top, name = os.path.split(rel)
        if not top.endswith("streams/v1") or not name.endswith((".json", ".sjson")):
            continue
        try:
            doc = json.loads(payload(data))
        except ValueError:
            out[rel] = "unreadable"
            continue
        if not isinstance(doc, dict):
            out[rel] = doc
        elif doc.get("format") == "products:1.0":
            out[rel] = flat(doc)
        elif doc.get("format") == "index:1.0":
            out[rel] = {cid: (sorted(e.get("products", [])), os.path.splitext(e.get("path", ""))[0])
                        for cid, e in doc.get("index", {}).items()}
    return out


def tree_of(got):
    """(set of non-private data files with digests, {rel: text}) from a run's result merged over the input tree."""
    data = {}
    for line in got["tree.txt"].decode().splitlines():
        if line.startswith("f "):
            digest, _size, rel = line[2:].split(" ", 2)
            rel = rel.split(" links=")[0]
            private = "/.data/" in "/" + rel or rel.endswith((".part", ".log", ".lock")) or "/streams/" in "/" + rel
            if not private and "orphan" not in os.path.basename(rel) and not rel.endswith((".yaml", ".json")):
                data[rel] = digest
    return data


def texts_of(case, got):
    """All normalised text files at the end: the recording holds only what changed, the input has the rest."""
    out = {}
    listed = {l[2:].split(" ", 2)[2].split(" links=")[0] for l in got["tree.txt"].decode().splitlines() if l.startswith("f ")}
    base = os.path.join(case, "in")
    for rel in listed:
        if "tree/" + rel in got:
            out[rel] = got["tree/" + rel]
        elif os.path.isfile(os.path.join(base, rel)):
            with open(os.path.join(base, rel), "rb") as fp:
                out[rel] = fp.read()
    return out


def differences(case, meta, want, got):
    bad = []
    n = 1
    while "%d.exit" % n in want:
        a, b = int(want["%d.exit" % n]), int(got.get("%d.exit" % n, b"-1"))
        if (a == 0) != (b == 0):
            bad.append("command %d: exit %d, recorded %d: %s" % (n, b, a, got.get("%d.stderr" % n, b"").decode()[-300:].strip()))
        if meta["covers"].split()[0].strip(":").endswith(("query", "diff")) and a == 0:
            if want["%d.stdout" % n] != got.get("%d.stdout" % n):
                bad.append("command %d: stdout differs" % n)
        n += 1
    a, b = tree_of(want), tree_of(got)
    bad += ["missing file " + rel for rel in sorted(set(a) - set(b))]
    bad += ["unexpected file " + rel for rel in sorted(set(b) - set(a))]
    bad += ["content differs " + rel for rel in sorted(set(a) & set(b)) if a[rel] != b[rel]]
    wt, gt = texts_of(case, want), texts_of(case, got)
    wd, gd = documents(wt), documents(gt)
    for rel in sorted(wd):
        if rel not in gd:
            bad.append("missing document " + rel)
        elif wd[rel] != gd[rel]:
            if isinstance(wd[rel], dict) and isinstance(gd[rel], dict):
                for key in sorted(set(wd[rel]) | set(gd[rel]), key=str):
                    if wd[rel].get(key) != gd[rel].get(key):
                        bad.append("%s: %s: recorded %s, got %s" % (rel, key, wd[rel].get(key), gd[rel].get(key)))
            else:
                bad.append("%s differs" % rel)
    for rel in sorted(wt):
        if "orphan" in os.path.basename(rel) and rel.endswith(".json"):
            try:
                x, y = json.loads(wt[rel]), json.loads(gt.get(rel, b"null"))
            except ValueError:
                continue
            if isinstance(x, dict) and x != y:
                bad.append("%s: recorded %s, got %s" % (rel, x, y))
        for mark in (b"@CLEARSIGNED good@", b"@DETACHED good@"):
            if wt[rel].startswith(mark) and not gt.get(rel, b"").startswith(mark):
                bad.append(rel + " is not well signed")
    return bad


def missing_programs(case, bin_dir):
    """The programs of ours that a case runs and that are not there: a missing one would look like a failing one."""
    with open(os.path.join(case, "cmd")) as fp:
        words = set(re.findall(r"\b(?:meph2|sstream)-[a-z0-9-]+", fp.read()))
    return sorted(w for w in words if w in PROGRAMS and not os.access(os.path.join(bin_dir, w), os.X_OK))


def beyond_deviations(name, bad):
    """What is left of the differences after those that deviations.json wants; one of those that is gone is one, too."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "deviations.json")) as fp:
        allowed = json.load(fp).get(name, {"allow": []})["allow"]
    left = [line for line in bad if not any(re.fullmatch(rule, line, re.S) for rule in allowed)]
    stale = [rule for rule in allowed if not any(re.fullmatch(rule, line, re.S) for line in bad)]
    return left + ["deviations.json: no longer true: " + rule for rule in stale]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--cases", default=HERE)
    parser.add_argument("--case", action="append", default=[], metavar="GLOB")
    parser.add_argument("--env", action="append", default=[], metavar="K=V")
    parser.add_argument("--all", action="store_true", help="also the cases in which the established tool is wrong")
    parser.add_argument("-v", action="store_true")
    args = parser.parse_args()
    args.bin = os.path.abspath(args.bin)
    ran = failed = skipped = 0
    for name in sorted(os.listdir(args.cases)):
        case = os.path.join(args.cases, name)
        if not os.path.exists(os.path.join(case, "meta.json")):
            continue
        if args.case and not any(fnmatch.fnmatch(name, g) for g in args.case):
            continue
        meta = json.load(open(os.path.join(case, "meta.json")))
        if meta.get("bug") and not args.all:
            skipped += 1
            continue
        ran += 1
        missing = missing_programs(case, args.bin)
        if missing:
            failed += 1
            print("FAIL %s\n      not built: %s" % (name, ", ".join(missing)))
            continue
        bad = differences(case, meta, run_golden.load_out(case), run_golden.run_case(case, args))
        bad = beyond_deviations(name, bad)
        failed += bool(bad)
        print(("FAIL " if bad else "ok   ") + name)
        for line in bad[:None if args.v else 6]:
            print("      " + line[:400])
    print("%d cases, %d differ, %d skipped" % (ran, failed, skipped))
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())

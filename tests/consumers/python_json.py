#!/usr/bin/env python3
"""Generated streams, read and written by us and by Python: python_json.py --work DIR [--streams N] [--seed N]

Each stream is a products document with tags at all levels, of all JSON types, with names and values that are hard to
write. A hundred of them make a repository. What `sstream-query --json` lists of it must be what Python finds by walking
the documents; what `meph2-util insert` writes must be, byte for byte, what Python writes of the same values, and must
list the same.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys

STAMP = "Mon, 01 Jan 2024 00:00:00 +0000"
BATCH = 100
ALPHABET = ["a", "Z", "0", " ", "\"", "\\", "/", "\u00e9", "\u20ac", "\u2028", "\u0085", "\U0001f600", "\t", "\n", "\x7f", "\x01"]
RESERVED = {"products", "versions", "items", "_aliases", "path", "sha256", "md5", "sha512", "size", "format", "content_id",
            "datatype", "updated", "item_url", "product_name", "version_name", "item_name"}


def text(rng, most=8):
    return "".join(rng.choice(ALPHABET) for _ in range(rng.randrange(most)))


def number(rng):
    kind = rng.randrange(5)
    if kind == 0:
        return rng.randrange(-(2 ** 63), 2 ** 63)
    if kind == 1:
        return rng.choice([0.1, 1e16, 1e15, 1e-5, 1.5e300, 5e-324, -0.0, 123456789.125, 1e22, 2.5])
    if kind == 2:
        return rng.uniform(-1e6, 1e6)
    return rng.randrange(1000)


def value(rng, depth=0):
    kind = rng.randrange(9 if depth < 2 else 6)
    if kind < 3:
        return text(rng)
    if kind == 3:
        return number(rng)
    if kind == 4:
        return rng.choice([True, False])
    if kind == 5:
        return None
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(3))]
    return {key(rng): value(rng, depth + 1) for _ in range(rng.randrange(3))}


def key(rng):
    name = rng.choice(["arch", "os", "release", "label", "note", "x" + text(rng, 4)])
    return name if name not in RESERVED else "y"


def tags(rng):
    return {key(rng): value(rng) for _ in range(rng.randrange(4))}


def document(rng, content_id):
    out = tags(rng)
    out.update(content_id=content_id, datatype=rng.choice(["image-ids", "image-downloads"]), format="products:1.0",
               updated=STAMP, products={})
    for p in range(rng.randrange(1, 3)):
        product = tags(rng)
        product["versions"] = {}
        for v in range(rng.randrange(1, 3)):
            version = tags(rng)
            version["items"] = {"item%d" % i: dict(tags(rng), id=text(rng) + "i") for i in range(rng.randrange(1, 3))}
            product["versions"]["2024010%d" % (v + 1)] = version
        out["products"]["%s:p%d" % (content_id, p)] = product
    return out


def flattened(tree):
    """(product, version, item) -> scalars, the deepest wins, as str() prints them."""
    def scalars(node):
        return {k: str(v) for k, v in node.items() if isinstance(v, (str, int, float))}

    found = {}
    for product, p in tree["products"].items():
        for version, v in p["versions"].items():
            for item, leaf in v["items"].items():
                all_tags = {}
                for node in (tree, p, v, leaf):
                    all_tags.update(scalars(node))
                all_tags.update(product_name=product, version_name=version, item_name=item)
                found[(product, version, item)] = all_tags
    return found


def listed(program, directory):
    out = subprocess.run([program, "--no-verify", "--json", directory], check=True, stdout=subprocess.PIPE).stdout
    found = {}
    for one in json.loads(out):
        one.pop("item_url", None)
        found[(one["product_name"], one["version_name"], one["item_name"])] = one
    return found


def write(path, tree, **style):
    with open(path, "w") as out:
        json.dump(tree, out, **style)


def make(rng, directory, batch):
    metadata = os.path.join(directory, "streams/v1")
    os.makedirs(metadata)
    index, trees = {}, {}
    for i in range(BATCH):
        content_id = "gen:%d:%d" % (batch, i)
        tree = trees[content_id] = document(rng, content_id)
        # Compact or not, escaped or not: it is the same stream.
        write(os.path.join(metadata, content_id + ".json"), tree, indent=rng.choice([None, 1, 4]),
              ensure_ascii=rng.choice([True, False]))
        index[content_id] = {"datatype": tree["datatype"], "format": "products:1.0", "updated": STAMP,
                             "path": "streams/v1/%s.json" % content_id, "products": sorted(tree["products"])}
    write(os.path.join(metadata, "index.json"), {"format": "index:1.0", "index": index, "updated": STAMP})
    return trees


def compare(what, ours, theirs):
    if ours == theirs:
        return
    for at in sorted(set(ours) | set(theirs)):
        if ours.get(at) != theirs.get(at):
            sys.exit("python_json: %s: %s\n ours   %s\n Python %s" % (what, at, ours.get(at), theirs.get(at)))


def check(rng, work, batch):
    source, target = os.path.join(work, "source"), os.path.join(work, "target")
    trees = make(rng, source, batch)
    expected = {}
    for tree in trees.values():
        expected.update(flattened(tree))
    compare("listed of the source", listed("sstream-query", source), expected)
    # No consumer would take such streams, which is what the gate says.
    subprocess.run(["meph2-util", "insert", "--no-sign", "--lint=off", source, target], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    written = {}
    for content_id in trees:
        with open(os.path.join(target, "streams/v1", content_id + ".json")) as file:
            content = file.read()
        tree = json.loads(content)
        if content != json.dumps(tree, indent=1, sort_keys=True) + "\n":
            sys.exit("python_json: %s is not written as Python writes it" % content_id)
        written.update(flattened(tree))
    for one in list(written.values()) + list(expected.values()):
        one.pop("updated")
    compare("written", written, expected)
    shutil.rmtree(source)
    shutil.rmtree(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True)
    parser.add_argument("--streams", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    batches = max(1, args.streams // BATCH)
    for batch in range(batches):
        check(random.Random(args.seed * 1000003 + batch), args.work, batch)
    print("%d streams: read and written as Python does" % (batches * BATCH))


if __name__ == "__main__":
    main()

"""Small streams and the readers that judge them (standard library, gpg, gpgv).

The readers are models of real consumers: MAAS and python-simplestreams read index.sjson with gpgv, LXD and incus
read index.json, others the .json with its detached signature.
"""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile

PRODUCT = "com.ubuntu.maas.candidate:v3:boot:24.04:amd64:%s"
CONTENT = "com.ubuntu.maas:candidate:v3:download"
OLD_STAMP = "Mon, 01 Jan 2024 00:00:00 +0000"


def dump(value):
    return json.dumps(value, indent=1, sort_keys=True, separators=(",", ": ")) + "\n"


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())


def item(root, path, ftype, seed):
    data = ("%s %s\n" % (path, seed)).encode() * 20
    write(os.path.join(root, path), data)
    return {"ftype": ftype, "path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def version(root, subarch, name, seed=""):
    base = "noble/amd64/%s" % name
    return {"items": {
        "squashfs": item(root, base + "/squashfs", "squashfs", seed),
        "manifest": item(root, base + "/squashfs.manifest", "manifest", seed),
        "boot-kernel": dict(item(root, "%s/%s/boot-kernel" % (base, subarch), "boot-kernel", seed), kpackage="linux"),
        "boot-initrd": dict(item(root, "%s/%s/boot-initrd" % (base, subarch), "boot-initrd", seed), kpackage="linux"),
    }}


def make(root, versions, subarches=("ga-24.04", "hwe-24.04"), content=CONTENT, stamp=OLD_STAMP):
    """An unsigned stream with one content id."""
    products = {}
    for subarch in subarches:
        products[PRODUCT % subarch] = {
            "arch": "amd64", "kflavor": "generic", "label": "candidate", "os": "ubuntu", "release": "noble",
            "release_title": "24.04 LTS", "subarch": subarch, "subarches": "generic," + subarch, "version": "24.04",
            "versions": {name: version(root, subarch, name) for name in versions}}
    write(os.path.join(root, "streams/v1", content + ".json"), dump({
        "content_id": content, "datatype": "image-downloads", "format": "products:1.0", "products": products,
        "updated": stamp}))
    index = os.path.join(root, "streams/v1/index.json")
    entries = json.load(open(index))["index"] if os.path.exists(index) else {}
    entries[content] = {"datatype": "image-downloads", "format": "products:1.0", "updated": stamp,
                        "path": "streams/v1/%s.json" % content, "products": sorted(products)}
    write(index, dump({"format": "index:1.0", "index": entries, "updated": stamp}))


class Keys:
    """A throw-away GnuPG home with one signing key, and its exported keyring."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="mk-", dir="/tmp")
        self.env = dict(os.environ, GNUPGHOME=self.home)
        subprocess.run(["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key",
                        "Test <test@example.com>", "ed25519", "sign", "0"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.keyring = os.path.join(self.home, "public.gpg")
        with open(self.keyring, "wb") as out:
            subprocess.run(["gpg", "--batch", "--export"], env=self.env, check=True, stdout=out)

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(self.home, ignore_errors=True)


class Broken(Exception):
    pass


def _verify(arguments, what):
    done = subprocess.run(["gpgv"] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise Broken("%s: gpgv: %s" % (what, done.stderr.decode(errors="replace").strip().splitlines()[-1:]))
    return done.stdout


_verdicts = {}


def _cached(key, work):
    if key not in _verdicts:
        try:
            _verdicts[key] = (work(), None)
        except Broken as error:
            _verdicts[key] = (None, str(error))
    value, error = _verdicts[key]
    if error:
        raise Broken(error)
    return value


def _bytes(path):
    try:
        with open(path, "rb") as source:
            return source.read()
    except OSError as error:
        raise Broken("%s: %s" % (path, error.strerror))


def clear_text(root, path, keyring):
    """The text of a clear-signed document, by gpgv's own output."""
    return clear_bytes(_bytes(os.path.join(root, path)), keyring, path)


def clear_bytes(data, keyring, path):
    def work():
        with tempfile.NamedTemporaryFile(dir="/tmp") as copy:
            copy.write(data)
            copy.flush()
            return _verify(["--keyring", keyring, "-o", "-", copy.name], path)
    return _cached(("clear", hashlib.sha256(data).digest()), work)


def plain(root, path, _keyring):
    return _bytes(os.path.join(root, path))


def detached(root, path, keyring):
    data, signature = _bytes(os.path.join(root, path)), _bytes(os.path.join(root, path + ".gpg"))

    def work():
        with tempfile.TemporaryDirectory(dir="/tmp") as copies:
            write(os.path.join(copies, "d"), data)
            write(os.path.join(copies, "s"), signature)
            _verify(["--keyring", keyring, os.path.join(copies, "s"), os.path.join(copies, "d")], path + ".gpg")
            return data
    return _cached(("detached", hashlib.sha256(data + b"/" + signature).digest()), work)


def _parse(data, what):
    try:
        return json.loads(data)
    except ValueError as error:
        raise Broken("%s: %s" % (what, error))


def read_stream(root, get, suffix, keyring, check_files=True):
    """The whole stream as one consumer sees it: {content id: products}; Broken when it would be refused."""
    index = _parse(get(root, "streams/v1/index" + suffix, keyring), "index" + suffix)
    out = {}
    for content, entry in index["index"].items():
        tree = _parse(get(root, entry["path"], keyring), entry["path"])
        if tree["content_id"] != content:
            raise Broken("%s holds %s, not %s" % (entry["path"], tree["content_id"], content))
        out[content] = tree["products"]
        for product in tree["products"].values():
            for one in product["versions"].values():
                for leaf in one["items"].values():
                    if check_files:
                        check_file(root, leaf)
    return out


def check_file(root, leaf):
    data = _bytes(os.path.join(root, leaf["path"]))
    if len(data) != leaf["size"] or hashlib.sha256(data).hexdigest() != leaf["sha256"]:
        raise Broken("%s: size or sha256 is not what the stream promises" % leaf["path"])


READERS = {"sjson": (clear_text, ".sjson"), "json": (plain, ".json"), "detached": (detached, ".json")}


def read_all(root, keyring, readers=READERS):
    """What every reader sees; Broken when one fails or two differ."""
    seen = {}
    for name, (get, suffix) in readers.items():
        seen[name] = read_stream(root, get, suffix, keyring)
    values = list(seen.values())
    if any(value != values[0] for value in values):
        raise Broken("readers see different generations: %s" % ", ".join(seen))
    return values[0]


def leftovers(root):
    """Files that an interrupted run left where they do not belong."""
    streams = os.path.join(root, "streams")
    found = [name for name in os.listdir(streams) if name.startswith(".v1.")]
    private = os.path.join(root, ".data/.sstream")
    found += [name for name in os.listdir(private) if name not in (
        "stage.lock", "commit.lock", "state.json", "generations", "txn", "orphans.json", "history.jsonl", "holds.json", "trash",
        "sources")]
    for top, _, files in os.walk(os.path.join(private, "sources")):
        found += [os.path.relpath(os.path.join(top, name), private) for name in files if name.endswith(".tmp")]
    return found


def data_files(root):
    """The paths of all data files."""
    out = []
    for top, dirs, files in os.walk(root):
        if top == root:
            dirs[:] = [name for name in dirs if name not in ("streams", ".data")]
        out += [os.path.relpath(os.path.join(top, name), root) for name in files]
    return sorted(out)


def manifest(root):
    """{path: (mode, mtime, digest)} of everything below a directory, for "not one byte changed"."""
    out = {}
    for top, dirs, files in os.walk(root):
        for name in dirs + files:
            full = os.path.join(top, name)
            status = os.lstat(full)
            digest = hashlib.sha256(_bytes(full)).hexdigest() if os.path.isfile(full) and not os.path.islink(full) else ""
            out[os.path.relpath(full, root)] = (status.st_mode, status.st_mtime_ns if digest else 0, digest)
    return out

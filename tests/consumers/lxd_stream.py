#!/usr/bin/env python3
"""Writes a small stream of LXD images, as an image builder would hand it over: lxd_stream.py DIR

Two versions of one product: metadata tarball, squashfs and disk image each, with the combined digests that LXD identifies
an image by. No squashfs and no disk in it can be booted: the client downloads and hashes them, and no more.
"""
import hashlib
import io
import json
import os
import sys
import tarfile

STAMP = "Mon, 01 Jan 2024 00:00:00 +0000"
PRODUCT = "demo:one:amd64:default"


def tar_xz(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def version_of(root, serial):
    base = "images/demo/one/amd64/default/%s/" % serial
    # Two versions with one combined digest would make the client refuse both.
    metadata = tar_xz([("metadata.yaml", ("architecture: x86_64\ncreation_date: 1704067200\nproperties:\n"
                                          "  os: Demo\n  serial: '%s'\n" % serial).encode())])
    squashfs, disk = (("%s %s " % (kind, serial)).encode() * 4000 for kind in ("squashfs", "qcow2"))
    for name, data in (("meta.tar.xz", metadata), ("rootfs.squashfs", squashfs), ("disk.qcow2", disk)):
        os.makedirs(os.path.join(root, base), exist_ok=True)
        with open(os.path.join(root, base, name), "wb") as out:
            out.write(data)

    def item(ftype, name, data, **more):
        return dict({"ftype": ftype, "path": base + name, "sha256": sha256(data), "size": len(data)}, **more)

    return {"items": {
        "lxd.tar.xz": item("lxd.tar.xz", "meta.tar.xz", metadata, **{
            "combined_squashfs_sha256": sha256(metadata, squashfs),
            "combined_disk-kvm-img_sha256": sha256(metadata, disk)}),
        "root.squashfs": item("squashfs", "rootfs.squashfs", squashfs),
        "disk.qcow2": item("disk-kvm.img", "disk.qcow2", disk)}}


def main(root):
    products = {PRODUCT: {
        "aliases": "demo/one/default,demo/one,demo", "arch": "amd64", "os": "Demo", "release": "one",
        "release_title": "one", "variant": "default", "requirements": {},
        "versions": {serial: version_of(root, serial) for serial in ("20240101_0000", "20240201_0000")}}}
    os.makedirs(os.path.join(root, "streams/v1"))
    for name, document in (
            ("images", {"content_id": "images", "datatype": "image-downloads", "format": "products:1.0",
                        "products": products, "updated": STAMP}),
            ("index", {"format": "index:1.0", "updated": STAMP, "index": {"images": {
                "datatype": "image-downloads", "format": "products:1.0", "path": "streams/v1/images.json",
                "products": [PRODUCT], "updated": STAMP}}})):
        with open(os.path.join(root, "streams/v1", name + ".json"), "w") as out:
            json.dump(document, out)


if __name__ == "__main__":
    main(sys.argv[1])

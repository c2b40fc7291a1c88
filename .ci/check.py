"""Checks of the journey, by Python's own zip reader and file system calls.

They know the program only by its documented output.
"""
import hashlib
import json
import os
import stat
import sys
import zipfile


def fail(message):
    sys.exit("check failed: " + message)


def expect(got, want, what):
    if got != want:
        fail(f"{what}: got {got!r}, want {want!r}")


def unpack_in_order(zips):
    """The files that remain when zips are unpacked over each other: path -> (kind, mode, content)."""
    tree = {}
    for path in zips:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                mode = info.external_attr >> 16
                name = info.filename.rstrip("/")
                if info.is_dir():
                    tree[name] = ("dir", 0o755, b"")
                elif stat.S_ISLNK(mode):
                    tree[name] = ("symlink", 0o777, archive.read(info))
                else:
                    perm = mode & 0o777 | 0o444
                    tree[name] = ("file", perm | 0o111 if perm & 0o111 else perm, archive.read(info))
                parent = os.path.dirname(name)
                while parent:
                    tree.setdefault(parent, ("dir", 0o755, b""))
                    parent = os.path.dirname(parent)
    return tree


def read_tree(root):
    tree = {}
    for base, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.join(base, name)
            key = os.path.relpath(path, root)
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                tree[key] = ("symlink", 0o777, os.readlink(path).encode())
            elif stat.S_ISDIR(info.st_mode):
                tree[key] = ("dir", stat.S_IMODE(info.st_mode), b"")
            else:
                with open(path, "rb") as f:
                    tree[key] = ("file", stat.S_IMODE(info.st_mode), f.read())
    return tree


def compare(root, want):
    got = read_tree(root)
    for path in sorted(set(got) | set(want)):
        if path not in got:
            fail(f"{root}: {path} is missing")
        if path not in want:
            fail(f"{root}: {path} is in no zip")
        g, w = got[path], want[path]
        if g[:2] != w[:2] or hashlib.sha256(g[2]).digest() != hashlib.sha256(w[2]).digest():
            fail(f"{root}: {path} is {g[0]} {g[1]:o}, want {w[0]} {w[1]:o}, or its bytes differ")
    print(f"{root}: {len(want)} paths equal")


def unzipped(path):
    with zipfile.ZipFile(path) as archive:
        return sum(i.file_size for i in archive.infolist())


def audit(report, function, code, *layers):
    doc = json.load(open(report))
    expect(doc["schema"], 1, "schema")
    f = next(f for f in doc["functions"] if f["name"] == function)
    expect(f["unzippedCode"], unzipped(code), "unzipped code")
    expect([l["unzipped"] for l in f["layers"]], [unzipped(l) for l in layers], "unzipped layers")
    total = unzipped(code) + sum(unzipped(l) for l in layers)
    expect(f["unzippedTotal"], total, "unzipped total")
    expect(f["limit"], 262144000, "limit")
    names = {n.split("/")[1] for l in layers for n in zipfile.ZipFile(l).namelist()
             if n.startswith("extensions/") and n.count("/") == 1 and not n.endswith("/")}
    expect({e["name"] for e in f["extensions"] if e["kind"] == "external"}, names, "external extensions")


def listed(report, tree, arn, last_line):
    """What unzip -l counts of a published archive: bytes and entries."""
    size, entries = int(last_line.split()[0]), int(last_line.split()[1])
    layer = next(l for l in json.load(open(report))["layers"] if l["arn"] == arn)
    expect(layer["unzipped"], size, f"unzipped bytes of {arn}")
    doc = json.load(open(tree))
    expect(doc["layers"][0]["unzipped"], size, f"unzipped bytes of {arn} in opt")
    # Directories that the archive leaves out are there all the same.
    if sum(e["type"] != "dir" for e in doc["entries"]) > entries or len(doc["entries"]) < entries:
        fail(f"{arn}: {len(doc['entries'])} paths, and unzip -l lists {entries}")
    expect(sum(e["size"] for e in doc["entries"] if e["type"] != "dir"), size, f"bytes of {arn}'s paths")
    print(f"{arn}: {size} bytes in {entries} entries, as unzip -l lists them")


def opt(report, *layers):
    doc = json.load(open(report))
    owner, copies = {}, {}
    for number, path in enumerate(layers, 1):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    owner[info.filename] = number
                    copies.setdefault(info.filename, []).append((number, archive.read(info)))
    entries = {e["path"]: e for e in doc["entries"]}
    expect(len(entries), len(doc["entries"]), "every path once")
    expect([e["path"] for e in doc["entries"]], sorted(entries, key=str.encode), "order")
    files = {p for p, e in entries.items() if e["type"] != "dir"}
    expect(files, {"/opt/" + n for n in owner}, "paths")
    shadowed = conflicts = 0
    for name, number in owner.items():
        e = entries["/opt/" + name]
        expect(e["winner"], number, name)
        *losers, (_, bytes_won) = copies[name]
        expect(sorted((s["layer"], s["identical"]) for s in e["shadows"]),
               sorted((n, data == bytes_won) for n, data in losers), "shadows of " + name)
        shadowed += sum(len(data) for _, data in losers)
        conflicts += any(data != bytes_won for _, data in losers)
    expect(doc["conflicts"], conflicts, "conflicts")
    expect(doc["shadowedBytes"], shadowed, "shadowed bytes")
    print(f"{len(entries)} paths, {conflicts} conflicts, {shadowed} bytes shadowed")


def image(rootfs, code, *layers):
    compare(os.path.join(rootfs, "opt"), unpack_in_order(layers))
    compare(os.path.join(rootfs, "var/task"), unpack_in_order([code]))


def digests(layout, report):
    doc = json.load(open(report))
    manifest = open(os.path.join(layout, "blobs/sha256", doc["digest"].split(":")[1]), "rb").read()
    expect("sha256:" + hashlib.sha256(manifest).hexdigest(), doc["digest"], "manifest digest")
    blobs = [l["digest"] for l in json.loads(manifest)["layers"]]
    ours = [l["digest"] for l in doc["layers"]]
    expect(blobs[-len(ours):], ours, "image layers, last ones")
    for digest in blobs:
        with open(os.path.join(layout, "blobs/sha256", digest.split(":")[1]), "rb") as f:
            expect("sha256:" + hashlib.file_digest(f, "sha256").hexdigest(), digest, "blob")


def migrated(work):
    load = lambda name: json.load(open(os.path.join(work, name)))
    before, after = load("config-before.json"), load("after.json")
    config = after["Configuration"]
    expect(config["PackageType"], "Image", "package type")
    expect(config["State"], "Active", "state")
    for key in ("FunctionArn", "Role", "Timeout", "MemorySize", "Environment", "Architectures", "EphemeralStorage", "TracingConfig", "Description"):
        expect(config.get(key), before.get(key), key)
    expect(after["Tags"].get("team"), "platform", "tag")
    statement = json.loads(load("policy.json")["Policy"])["Statement"]
    expect([s["Sid"] for s in statement], ["bucket"], "policy")
    expect([s["Sid"] for s in json.loads(load("policy-live.json")["Policy"])["Statement"]], ["topic"], "policy of the alias")
    alias = load("alias.json")
    expect(alias["Name"], "live", "alias")
    mapping = load("mapping.json")
    expect((mapping["State"], mapping["BatchSize"]), ("Enabled", 7), "mapping")
    print("the image function has what the zip function had")


def back(work):
    load = lambda name: json.load(open(os.path.join(work, name)))
    before, after = load("config-before.json"), load("config-back.json")
    for key in ("PackageType", "Runtime", "Handler", "CodeSha256", "Role", "Timeout", "MemorySize", "Environment", "Architectures", "Layers"):
        expect(after.get(key), before.get(key), key)
    print("the zip function is back as it was")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])

"""Images as OCI layouts, written with nothing but Python: one that is fit for
Lambda, and one for each defect that Lambda refuses."""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

CODE = "exports.handler = async (event) => ({ text: require('greet')(event.name), stage: process.env.STAGE });\n"
OCI = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip")
DOCKER = ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip")


def archive(*entries):
    """entries: "dir/", ("link", "target") for a hard link, else a file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry[0] if isinstance(entry, tuple) else entry.rstrip("/"))
            content = b""
            if isinstance(entry, tuple):
                info.type, info.linkname = tarfile.LNKTYPE, entry[1]
            elif entry.endswith("/"):
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            else:
                content = CODE.encode()
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def write(root, name, family, plain, compress=True):
    blobs = os.path.join(root, name, "blobs/sha256")
    os.makedirs(blobs)

    def blob(data, media):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as f:
            f.write(data)
        return {"mediaType": media, "digest": "sha256:" + digest, "size": len(data)}

    manifest_type, config_type, layer_type = family
    if compress:
        layer = blob(gzip.compress(plain, mtime=0), layer_type)
    else:
        layer = blob(plain, layer_type.removesuffix(".gzip").removesuffix("+gzip"))
    config = blob(json.dumps({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(plain).hexdigest()]},
        "config": {"Entrypoint": ["/var/task/index.js"], "Cmd": ["index.handler"], "WorkingDir": "/var/task"},
    }).encode(), config_type)
    manifest = blob(json.dumps({"schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": [layer]}).encode(), manifest_type)
    with open(os.path.join(root, name, "index.json"), "w") as f:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, f)
    with open(os.path.join(root, name, "oci-layout"), "w") as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')


def main(root):
    task = ("var/", "var/task/", "var/task/index.js")
    write(root, "good", OCI, archive(*task))
    write(root, "noparent", DOCKER, archive("var/", "var/task/index.js"))
    write(root, "lateparent", OCI, archive("var/", "var/task/index.js", "var/task/"))
    write(root, "hardlink", OCI, archive(*task, ("var/task/again.js", "var/task/index.js")))
    write(root, "uncompressed", DOCKER, archive(*task), compress=False)
    with open(os.path.join(root, "code.tar.gz"), "wb") as f:
        f.write(gzip.compress(archive(*task), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])

"""Creates a function of each image, with boto3, and holds what Lambda makes of it."""
import sys
import time

import boto3
import botocore.exceptions

PARENT = "MissingParentDirectory: Parent directory does not exist for file: var/task/index.js"
LAYER = "UnsupportedImageLayerDetected"


def fail(message):
    sys.exit("check failed: " + message)


def main(uri, role):
    client = boto3.client("lambda")

    def create(tag, arch="x86_64", **settings):
        name = "image-" + tag
        client.create_function(FunctionName=name, PackageType="Image", Role=role, Code={"ImageUri": f"{uri}:{tag}"}, Architectures=[arch], **settings)
        for _ in range(600):
            found = client.get_function(FunctionName=name)["Configuration"]
            if found["State"] != "Pending":
                return found
            time.sleep(0.1)
        fail(f"{name} stays Pending")

    def state(tag, want, text=""):
        found = create(tag)
        got = (found["State"], found.get("StateReasonCode"))
        if got != want or text not in found.get("StateReason", ""):
            fail(f"{tag}: {got}, {found.get('StateReason')}; want {want}, {text}")
        print(f"{tag}: {found.get('StateReason', found['State'])}")

    state("good", ("Active", None))
    state("noparent", ("Failed", "InvalidImage"), PARENT)
    state("lateparent", ("Failed", "InvalidImage"), PARENT)
    state("hardlink", ("Failed", "InvalidImage"), LAYER)
    state("uncompressed", ("Failed", "InvalidImage"), LAYER)
    try:
        create("index")
        fail("an image index was accepted")
    except botocore.exceptions.ClientError as e:
        if f"The image manifest, config or layer media type for the source image {uri}:index is not supported." not in str(e):
            fail(str(e))
        print("index:", e.response["Error"]["Message"])

    # Another processor shows when the function starts, not before.
    for tag, arch, fits in (("base", "x86_64", True), ("base-arm", "x86_64", False)):
        found = create(tag, arch, ImageConfig={"Command": ["index.handler"]}, Environment={"Variables": {"STAGE": "ci"}})
        if found["State"] != "Active":
            fail(f"{tag}: {found['State']}, {found.get('StateReason')}")
        out = client.invoke(FunctionName=found["FunctionName"], Payload=b'{"name":"you"}')
        body = out["Payload"].read().decode()
        # The image has no layer with "greet": that is the handler's own error.
        expected = "Cannot find module 'greet'" if fits else "Runtime.InvalidEntrypoint"
        if "FunctionError" not in out or expected not in body:
            fail(f"{tag} answers {body}, want {expected}")
        print(f"{tag}: {body[:120]}")


if __name__ == "__main__":
    main(*sys.argv[1:])

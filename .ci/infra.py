"""Compares a function and all that is attached to it between two accounts, by boto3."""
import json
import re
import sys

import boto3


def client(file):
    env = dict(re.findall(r"^export (\w+)=(.*)$", open(file).read(), re.M))
    return boto3.client("lambda", endpoint_url=env["AWS_ENDPOINT_URL"], region_name=env["AWS_REGION"],
                        aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"])


def pick(d, *keys):
    return {k: d[k] for k in keys if d.get(k) not in (None, [], {}, "")}


def policy(c, **of):
    try:
        statements = json.loads(c.get_policy(**of)["Policy"])["Statement"]
    except c.exceptions.ResourceNotFoundException:
        return []
    return sorted((pick(s, "Sid", "Effect", "Principal", "Action", "Condition") for s in statements), key=lambda s: s["Sid"])


def facts(c, name):
    config = c.get_function(FunctionName=name)
    conf = config["Configuration"]
    aliases = c.list_aliases(FunctionName=name)["Aliases"]
    out = {
        "configuration": pick(conf, "FunctionArn", "Role", "Timeout", "MemorySize", "Environment", "Architectures",
                              "EphemeralStorage", "TracingConfig", "LoggingConfig", "Description", "VpcConfig", "DeadLetterConfig"),
        "tags": {k: v for k, v in config.get("Tags", {}).items()},
        "aliases": [pick(a, "Name", "Description") for a in aliases],
        "mappings": [pick(m, "EventSourceArn", "BatchSize", "FilterCriteria", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes",
                          "ScalingConfig", "StartingPosition") for m in c.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]],
        "urls": [pick(u, "AuthType", "Cors", "InvokeMode") for u in c.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]],
        "provisioned": [p["RequestedProvisionedConcurrentExecutions"] for p in
                        c.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]],
        "async": [pick(a, "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig") for a in
                  c.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]],
        "reserved": c.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions"),
        "policy": policy(c, FunctionName=name),
        "policies": {a["Name"]: policy(c, FunctionName=name, Qualifier=a["Name"]) for a in aliases},
    }
    return conf["PackageType"], out


def main(before, after, name):
    was, want = facts(client(before), name)
    now, got = facts(client(after), name)
    if (was, now) != ("Zip", "Image"):
        sys.exit(f"check failed: {name} is {was} and {now}")
    for key in want:
        if want[key] != got[key]:
            sys.exit(f"check failed: {name}: {key} is {got[key]}, want {want[key]}")
    attached = sum(len(want[k]) for k in ("aliases", "mappings", "urls", "provisioned", "async"))
    print(f"{name}: the same settings and {attached} attachments in the other account, as an image")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Writes the files beside it from the API models that AWS publishes with its SDKs (here: those in botocore, Apache-2.0).

    python3 make.py

`mod.rs` says how to read the files. Actions that stream events, need a host name of their own or send XML attributes are left
out: `aws-sdk` tasks cannot call them.
"""
import pathlib
import re

import botocore.session

# Services whose requests are no awsJson: full models.
MODELLED = ["batch", "lambda", "s3", "scheduler", "sesv2", "sns", "sts"]
# awsJson: names of actions are enough.
NAMED = {
    "athena": "athena", "cloudwatchlogs": "logs", "dynamodb": "dynamodb", "eventbridge": "events", "firehose": "firehose",
    "glue": "glue", "kinesis": "kinesis", "kms": "kms", "secretsmanager": "secretsmanager", "sfn": "stepfunctions",
    "sqs": "sqs", "ssm": "ssm",
}
PLACES = {"header": "header", "headers": "headers", "querystring": "query", "uri": "path", "statusCode": "status"}
TIMES = {"iso8601": "iso", "unixTimestamp": "epoch", "rfc822": "http"}


def pascal(name):
    return name[:1].upper() + name[1:]


def exception(name):
    """The class that the SDK for Java, version 2, makes of an error: its own splitting into words."""
    name = re.sub(r"(Fault|Exception)$", "", name)
    name = re.sub(r"[^A-Za-z0-9]+", " ", name)
    name = re.sub(r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 ", name)
    name = re.sub(r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 ", name)
    name = " ".join(re.split(r"(?<=[a-z])(?=[A-Z](?:[a-zA-Z]|[0-9]))", name))
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1 \2", name)
    name = re.sub(r"([0-9])([a-zA-Z])", r"\1 \2", name)
    return "".join(word[:1].upper() + word[1:].lower() for word in name.split()) + "Exception"


class File:
    def __init__(self, service, model):
        self.service, self.model, self.shapes = service, model, {}

    def type_of(self, shape, where):
        kind = shape.type_name
        wire = shape.serialization
        if kind == "structure":
            if getattr(shape, "is_document_type", False):
                return "any"
            self.add(shape)
            return shape.name
        if kind == "list":
            item = "*" if wire.get("flattened") else shape.member.serialization.get("name", "member")
            return f"[{item}|{self.type_of(shape.member, '')}]"
        if kind == "map":
            flat = "*" if wire.get("flattened") else ""
            key = shape.key.serialization.get("name", "key")
            value = shape.value.serialization.get("name", "value")
            return "{" + f"{flat}{key}|{value}|{self.type_of(shape.value, '')}" + "}"
        if kind == "timestamp":
            default = "http" if where == "header" else "iso" if where == "query" else self.time()
            return "time-" + TIMES.get(wire.get("timestampFormat"), default)
        if kind in ("integer", "long", "float", "double"):
            return "number"
        return {"string": "string", "blob": "blob", "boolean": "boolean", "character": "string"}[kind]

    def time(self):
        return "iso" if self.model.metadata["protocol"] in ("query", "rest-xml") else "epoch"

    def add(self, shape):
        if shape.name in self.shapes:
            return
        self.shapes[shape.name] = None  # a structure may hold itself
        payload = shape.serialization.get("payload")
        members = []
        for name, member in shape.members.items():
            wire = member.serialization
            where = PLACES.get(wire.get("location"), "payload" if name == payload else "")
            on_wire = wire.get("name", name)
            if member.type_name == "list" and wire.get("flattened") and "name" not in wire:
                on_wire = name
            members.append(f"{pascal(name)}:{self.type_of(member, where)}:{where}:{on_wire}")
        self.shapes[shape.name] = "\t".join([shape.name, *members])

    def text(self):
        lines = [f"# {self.service}, API version {self.model.api_version}: its actions on the wire."]
        errors = {}
        for shape in self.model.error_shapes:
            errors[shape.error_code] = errors[shape.name] = exception(shape.name)
        lines.append("\t".join(["!", *(f"{code}={name}" for code, name in sorted(errors.items()))]))
        for name in self.model.operation_names:
            action = self.model.operation_model(name)
            if action.has_event_stream_output or action.has_event_stream_input or action.endpoint or has_attribute(action.input_shape):
                continue
            shapes = [action.input_shape, action.output_shape]
            for shape in filter(None, shapes):
                self.add(shape)
            only = [shape.error_code for shape in action.error_shapes]
            lines.append("\t".join([f"@{name}", action.http["method"], action.http["requestUri"],
                                    *(shape.name if shape else "" for shape in shapes), only[0] if len(only) == 1 else ""]).rstrip("\t"))
        return "\n".join(lines + sorted(self.shapes.values())) + "\n"


def has_attribute(shape, seen=None):
    seen = set() if seen is None else seen
    if shape is None or shape.name in seen:
        return False
    seen.add(shape.name)
    if shape.serialization.get("xmlAttribute"):
        return True
    inner = {"structure": lambda: shape.members.values(), "list": lambda: [shape.member], "map": lambda: [shape.value]}
    return any(has_attribute(it, seen) for it in inner.get(shape.type_name, list)())


here = pathlib.Path(__file__).parent
session = botocore.session.get_session()
for service in MODELLED:
    (here / f"{service}.txt").write_text(File(service, session.get_service_model(service)).text())
lines = ["# The actions of services that speak awsJson."]
for service, name in NAMED.items():
    lines.append("\t".join([service, *session.get_service_model(name).operation_names]))
(here / "actions.txt").write_text("\n".join(lines) + "\n")

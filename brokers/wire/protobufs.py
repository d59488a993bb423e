"""Classes of protobuf messages by descriptors that are built from a list of fields."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = {"double": 1, "int64": 3, "int32": 5, "bool": 8, "string": 9, "message": 11, "bytes": 12}
"""Kinds of fields as descriptors number them."""


def message_classes(package: str, messages: Mapping[str, str]) -> Mapping[str, Any]:
    """The class of each message, by name, of its fields by number, name and type.

    Fields stand between `; `, as `2 feeds {Feed}`: a star for many, braces for a map by text or, as
    `{int32:Book}`, by a number. What is not named is not looked at.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for one in fields.split("; "):
            number, field, kind = one.split()
            _add_field(package, message, int(number), field, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


def _add_field(package: str, message: Any, number: int, field: str, kind: str) -> None:
    many, of = kind.endswith("*") or kind.startswith("{"), kind.strip("*{}")
    if kind.startswith("{"):
        key, _, value = of.rpartition(":")
        entry = message.nested_type.add(name=f"{field[:1].upper()}{field[1:]}Entry")
        entry.options.map_entry = True
        _add_field(package, entry, 1, "key", key or "string")
        _add_field(package, entry, 2, "value", value)
        of = f"{message.name}.{entry.name}"
    added = message.field.add(name=field, number=number, label=3 if many else 1)
    added.type = _TYPES.get(of, _TYPES["message"])
    if of not in _TYPES:
        added.type_name = f".{package}.{of}"

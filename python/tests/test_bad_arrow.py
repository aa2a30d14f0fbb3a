"""Invalid data of Arrow is an exception, and nothing else."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

import pytest

from dragnet_scan import PatternSet

pa: Any = pytest.importorskip("pyarrow")

RULES = PatternSet(["a"])


class Schema(ctypes.Structure):
    """struct ArrowSchema"""


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.c_void_p),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class Array(ctypes.Structure):
    """struct ArrowArray"""

    _fields_ = [
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


# These release nothing: the producer's functions would read the damaged fields.
def release_schema(address: int) -> None:
    Schema.from_address(address).release = None


def release_array(address: int) -> None:
    Array.from_address(address).release = None


RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
C_RELEASE_SCHEMA, C_RELEASE_ARRAY = RELEASE(release_schema), RELEASE(release_array)


def pointer(capsule: object, name: bytes) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype = ctypes.c_void_p
    get.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = get(capsule, name)
    assert isinstance(address, int)
    return address


class Damaged:
    """An array whose structs are changed before they are handed out."""

    def __init__(self, array: Any, damage: Callable[[Schema, Array], object]) -> None:
        self.array = array
        self.damage = damage

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        schema, array = self.array.__arrow_c_array__()
        raw_schema = Schema.from_address(pointer(schema, b"arrow_schema"))
        raw_array = Array.from_address(pointer(array, b"arrow_array"))
        raw_schema.release = ctypes.cast(C_RELEASE_SCHEMA, ctypes.c_void_p)
        raw_array.release = ctypes.cast(C_RELEASE_ARRAY, ctypes.c_void_p)
        self.damage(raw_schema, raw_array)
        return schema, array


def setting(target: str, **fields: Any) -> Callable[[Schema, Array], None]:
    def damage(schema: Schema, array: Array) -> None:
        for name, value in fields.items():
            setattr({"schema": schema, "array": array}[target], name, value)

    return damage


def buffer(index: int, value: int | None) -> Callable[[Schema, Array], None]:
    def damage(schema: Schema, array: Array) -> None:
        array.buffers[index] = value

    return damage


DAMAGES = [
    setting("schema", release=None),
    setting("schema", format=None),
    setting("schema", format=b"\xff"),
    setting("schema", format=b"i"),
    setting("schema", format=b"vu"),
    setting("schema", format=b"+s"),
    setting("schema", format=b"+s", n_children=1),
    setting("array", release=None),
    setting("array", length=-1),
    setting("array", offset=-1),
    setting("array", length=2**63 - 1),
    setting("array", length=2**62, offset=2**62),
    setting("array", null_count=-2),
    setting("array", null_count=100),
    setting("array", null_count=1),
    setting("array", n_buffers=2),
    setting("array", n_buffers=0),
    setting("array", n_buffers=-1),
    setting("array", n_children=1),
    setting("array", n_children=-1),
    setting("array", buffers=None),
    buffer(1, None),
    buffer(2, None),
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("type_name", ["string", "large_binary"])
def test_damaged_structs(type_name: str, damage: Callable[[Schema, Array], None]) -> None:
    array = pa.array(["a", "bc"], type=getattr(pa, type_name)())
    with pytest.raises((ValueError, TypeError)):
        RULES.matches_many(Damaged(array, damage))


@pytest.mark.parametrize("index", [1, 2, 3])
def test_damaged_views(index: int) -> None:
    array = pa.array(["a", "a long value in a buffer"], type=pa.string_view())
    with pytest.raises((ValueError, TypeError)):
        RULES.matches_many(Damaged(array, buffer(index, None)))


def test_released_capsules() -> None:
    pair = pa.array(["a"]).__arrow_c_array__()

    class Again:
        def __arrow_c_array__(self, requested_schema: object = None) -> Any:
            return pair

    assert RULES.matches_many(Again()).to_list() == [[0]]
    with pytest.raises(ValueError, match="released"):
        RULES.matches_many(Again())


@pytest.mark.parametrize("value", [None, 1, (), (1, 2), ("a", "b", "c")])
def test_other_values_than_capsules(value: object) -> None:
    class Wrong:
        def __arrow_c_array__(self, requested_schema: object = None) -> Any:
            return value

    class WrongStream:
        def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
            return value

    with pytest.raises((TypeError, ValueError)):
        RULES.matches_many(Wrong())
    with pytest.raises((TypeError, ValueError)):
        RULES.matches_many(WrongStream())


def test_capsules_of_other_names() -> None:
    schema, array = pa.array(["a"]).__arrow_c_array__()

    class Swapped:
        def __arrow_c_array__(self, requested_schema: object = None) -> Any:
            return array, schema

    with pytest.raises(ValueError):
        RULES.matches_many(Swapped())


def test_a_failing_stream() -> None:
    def batches() -> Any:
        yield pa.record_batch({"a": ["a"]})
        raise RuntimeError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"a": pa.string()}), batches())
    with pytest.raises(ValueError, match="the disk is gone"):
        RULES.matches_many(reader)


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array([["a"], ["b"]]),
        pa.array([{"a": "a", "b": "b"}]),
        pa.array([{"a": ["a"]}]),
        pa.array([1, 2]),
        pa.array([None, None]),
        pa.table({"a": ["a"], "b": ["b"]}),
        pa.array([{"a": "a"}, None]),
    ],
    ids=lambda array: str(getattr(array, "type", "table")),
)
def test_other_types(array: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        RULES.matches_many(array)


def string_array(offsets: list[int], values: bytes, size: int = 4) -> Any:
    data = b"".join(offset.to_bytes(size, "little", signed=True) for offset in offsets)
    buffers = [None, pa.py_buffer(data), pa.py_buffer(values)]
    data_type = pa.string() if size == 4 else pa.large_string()
    return pa.Array.from_buffers(data_type, len(offsets) - 1, buffers)


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("offsets", [[0, 2, 1], [-1, 1], [0, -1], [3, 0, 3], [0, 3, -5]])
def test_offsets_out_of_order(offsets: list[int], size: int) -> None:
    with pytest.raises(ValueError, match="offsets"):
        RULES.matches_many(string_array(offsets, b"abc", size))


@pytest.mark.parametrize("in_table", [False, True])
@pytest.mark.parametrize("size, end", [(4, 100), (4, 2**31 - 1), (8, 100), (8, 2**40), (8, 2**63 - 1)])
def test_offsets_beyond_the_values(size: int, end: int, in_table: bool) -> None:
    """pyarrow checks the offsets when it makes an array, so they are changed afterwards."""
    data = bytearray(b"".join(offset.to_bytes(size, "little") for offset in (0, 1, 3)))
    buffers = [None, pa.py_buffer(data), pa.py_buffer(b"abc")]
    array = pa.Array.from_buffers(pa.string() if size == 4 else pa.large_string(), 2, buffers)
    chunked = pa.chunked_array([pa.array(["a"], type=array.type), array])
    both = (pa.table({"a": chunked}), pa.record_batch({"a": array})) if in_table else (array, chunked)
    assert RULES.matches_many(both[1])[-2:] == [[0], []]
    data[2 * size :] = end.to_bytes(size, "little")
    for records in both:
        with pytest.raises(ValueError, match="invalid Arrow data"):
            RULES.matches_many(records)


def test_offsets_that_no_buffer_has() -> None:
    """Nobody knows the lengths of the buffers of others, but these exceed all memory."""

    def damage(schema: Schema, array: Array) -> None:
        offsets = (ctypes.c_int64 * 2).from_address(array.buffers[1])
        offsets[1] = 2**63 - 1

    data = bytearray((0).to_bytes(8, "little") + (3).to_bytes(8, "little"))
    buffers = [None, pa.py_buffer(data), pa.py_buffer(b"abc")]
    with pytest.raises(ValueError, match="offsets out of range"):
        RULES.matches_many(Damaged(pa.Array.from_buffers(pa.large_string(), 1, buffers), damage))


@pytest.mark.parametrize(
    "offsets, values", [([0, 1], b"\xff"), ([0, 1, 2], "é".encode()), ([0, 3], b"a\xc3b")]
)
def test_invalid_utf8(offsets: list[int], values: bytes) -> None:
    with pytest.raises(ValueError, match="invalid Arrow data"):
        RULES.matches_many(string_array(offsets, values))


def test_views_out_of_range() -> None:
    view = (20).to_bytes(4, "little") + b"abcd" + (0).to_bytes(4, "little")
    for start in (0, 1, 2**31 - 1):
        data = view + start.to_bytes(4, "little")
        for count in (0, 1):
            values = [pa.py_buffer(b"abcdefghij")] * count
            array = pa.Array.from_buffers(pa.string_view(), 1, [None, pa.py_buffer(data), *values])
            with pytest.raises(ValueError, match="invalid Arrow data"):
                RULES.matches_many(array)

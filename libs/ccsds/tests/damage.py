"""Ways in which a file goes bad, each drawn from a seeded generator."""

import random
from collections.abc import Callable

Damage = Callable[[random.Random, bytes], bytes]


def spot(chance: random.Random, data: bytes) -> int:
    return chance.randrange(len(data))


def flip(chance: random.Random, data: bytes) -> bytes:
    at = spot(chance, data)
    return data[:at] + bytes([chance.randrange(32, 127)]) + data[at + 1 :]


def delete(chance: random.Random, data: bytes) -> bytes:
    at = spot(chance, data)
    return data[:at] + data[at + 1 :]


def insert(chance: random.Random, data: bytes) -> bytes:
    at = spot(chance, data)
    return data[:at] + bytes([chance.randrange(32, 127)]) + data[at:]


def swap(chance: random.Random, data: bytes) -> bytes:
    a, b = sorted(chance.sample(range(len(data)), 2))
    return data[:a] + data[b : b + 1] + data[a + 1 : b] + data[a : a + 1] + data[b + 1 :]


def truncate(chance: random.Random, data: bytes) -> bytes:
    return data[: spot(chance, data)]


def not_utf8(chance: random.Random, data: bytes) -> bytes:
    at = spot(chance, data)
    return data[:at] + bytes([chance.randrange(128, 256)]) + data[at + 1 :]


def control(chance: random.Random, data: bytes) -> bytes:
    at = spot(chance, data)
    return data[:at] + bytes([chance.randrange(32)]) + data[at + 1 :]


BYTES: dict[str, Damage] = {one.__name__: one for one in (flip, delete, insert, swap, truncate, not_utf8, control)}

"""Sound MIDI files made unsound, as disks, downloads and odd programs do it; and worse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Mutation = Callable[[bytes, bytes, np.random.Generator], bytes]


def flipped_bits(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """One bit is another, or up to 64."""
    changed = bytearray(data)
    for bit in rng.integers(0, 8 * len(data), int(2 ** rng.integers(0, 7))).tolist():
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def truncated(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """The file ends early, the header with it sometimes."""
    return data[: int(rng.integers(0, len(data)))]


def spliced(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """A stretch of another file stands somewhere in this one."""
    start, stop = sorted(rng.integers(0, len(other), 2).tolist())
    at = int(rng.integers(0, len(data)))
    return data[:at] + other[start:stop] + data[at + int(rng.integers(0, 100)) :]


def huge_times(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Delta times of up to 2^28 ticks, more bytes than a delta time may have, and absurd divisions."""
    changed = bytearray(data)
    for at in rng.integers(14, len(data), 20).tolist():
        changed[at:at] = b"\xff" * int(rng.integers(1, 6)) + bytes([int(rng.integers(0, 128))])
    if rng.random() < 0.5:
        changed[12:14] = rng.integers(0, 256, 2, np.uint8).tobytes()
    return bytes(changed)


def nested(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Headers within tracks, tracks within tracks, RIFF around it all, and lengths that lie."""
    at = int(rng.integers(14, len(data)))
    inner = data[:at] + other + data[at:]
    lengths = [i for i in range(len(inner) - 8) if inner[i : i + 4] in {b"MTrk", b"MThd"}]
    changed = bytearray(inner)
    for start in lengths:
        if rng.random() < 0.5:
            changed[start + 4 : start + 8] = rng.integers(0, 256, 4, np.uint8).tobytes()
    return b"RIFF\x00\x00\x00\x00RMIDdata\x00\x00\x00\x00" * int(rng.integers(0, 4)) + bytes(changed)


def noise(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """A header, and then whatever comes; or a long run of one byte."""
    body = rng.integers(0, 256, int(rng.integers(0, 4000)), np.uint8).tobytes()
    if rng.random() < 0.3:
        body = bytes([int(rng.integers(0, 256))]) * 4000
    return data[: int(rng.integers(14, 60))] + body


MUTATIONS: tuple[Mutation, ...] = (flipped_bits, truncated, spliced, huge_times, nested, noise)


def mutated(files: list[bytes], number: int) -> bytes:
    """The `number`-th mutation of some files: the same in every run."""
    rng = np.random.default_rng(number)
    data, other = (files[i] for i in rng.integers(0, len(files), 2).tolist())
    return MUTATIONS[number % len(MUTATIONS)](data, other, rng)

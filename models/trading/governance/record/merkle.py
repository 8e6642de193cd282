"""The Merkle tree of RFC 6962, section 2.1: hashes, and which stored nodes a figure is made of.

A stored node ``(level, index)`` is the hash of the whole subtree over the leaves
``[index * 2**level, (index + 1) * 2**level)``. Every root and proof is made of such nodes.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """The address of a whole subtree: 2**level leaves, the index-th of its level."""

    level: int
    index: int


NodeHash = Callable[[Node], bytes]


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00 || content)."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """The right edge of a tree, enough to append leaves; new whole nodes are handed out.

    Args:
        size: how many leaves the tree has.
        edge: hashes of ``whole_nodes(0, size)``, from the left.
    """

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        self.size = size
        self._edge = list(zip(whole_nodes(0, size), edge, strict=True))

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add a leaf's hash; return the nodes that are whole now, the leaf itself first."""
        node, value = Node(0, self.size), leaf
        made = [(node, value)]
        while self._edge and self._edge[-1][0].level == node.level:
            left = self._edge.pop()[1]
            node, value = Node(node.level + 1, node.index // 2), node_hash(left, value)
            made.append((node, value))
        self._edge.append((node, value))
        self.size += 1
        return made

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return _joined([value for _, value in self._edge])


def whole_nodes(start: int, end: int) -> list[Node]:
    """Return the whole subtrees that make up the leaves ``[start, end)``, from the left.

    ``start`` must be a multiple of the largest power of two that is not above ``end - start``.
    """
    found = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(Node(level, start >> level))
        start += 1 << level
    return found


def subtree_hash(start: int, end: int, hash_of: NodeHash) -> bytes:
    """Return the hash over the leaves ``[start, end)``; see ``whole_nodes`` for ``start``."""
    return _joined([hash_of(node) for node in whole_nodes(start, end)])


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    tree = GrowingTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose hashes prove that a leaf is in the tree (section 2.1.1).

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    start, end, found = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """Return the ranges whose hashes prove that a tree grew from an older one (section 2.1.2).

    Raises:
        ValueError: the older size is above the newer one, or below zero.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves did not grow from one of {old}")
    if old in (0, new):
        return []
    start, end, whole, found = 0, new, True, []
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def proof(ranges: Iterable[tuple[int, int]], hash_of: NodeHash) -> list[bytes]:
    """Return the hashes of a proof's ranges."""
    return [subtree_hash(start, end, hash_of) for start, end in ranges]


def proof_nodes(ranges: Iterable[tuple[int, int]]) -> list[Node]:
    """Return the stored nodes that a proof is made of."""
    return [node for start, end in ranges for node in whole_nodes(start, end)]


def includes(index: int, size: int, leaf: bytes, path: Sequence[bytes], root_hash: bytes) -> bool:
    """Verify an inclusion proof (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            value = node_hash(sibling, value)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and value == root_hash


def grew(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Verify a consistency proof (RFC 9162, section 2.1.4.2); an empty tree grew into any."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    return _roots_of_growth(old, new, hashes) == (old_root, new_root)


def _roots_of_growth(old: int, new: int, hashes: list[bytes]) -> tuple[bytes, bytes] | None:
    """Return the roots that a consistency proof leads to, None when it has the wrong length."""
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    if not hashes:
        return None
    before = after = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return None
        if here & 1 or here == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        here, last = here >> 1, last >> 1
    return (before, after) if last == 0 else None


def _split(size: int) -> int:
    """Return the largest power of two below ``size``, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _joined(hashes: list[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    value = hashes[-1]
    for left in hashes[-2::-1]:
        value = node_hash(left, value)
    return value

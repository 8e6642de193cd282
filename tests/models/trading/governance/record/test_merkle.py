"""The Merkle tree against RFC 6962: known roots and proofs, and what must hold for every tree."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.governance.record.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    Node,
    consistency_ranges,
    grew,
    includes,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    proof,
    proof_nodes,
    root,
    whole_nodes,
)

CONTENTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves of the example tree that implementations of RFC 6962 share."""

ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

INCLUSIONS = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

CONSISTENCIES = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}

LEAVES = [leaf_hash(content) for content in CONTENTS]


def by_definition(leaves):
    """Compute a root as section 2.1 defines it, by recursion."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


def grown(leaves):
    tree, nodes = GrowingTree(), {}
    for leaf in leaves:
        nodes.update(tree.append(leaf))
    return tree, nodes


def test_the_empty_tree_has_the_hash_of_nothing():
    assert root([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_of_the_example_tree(size):
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size"), INCLUSIONS)
def test_inclusion_proofs_of_the_example_tree(index, size):
    _, nodes = grown(LEAVES[:size])
    found = proof(inclusion_ranges(index, size), nodes.__getitem__)
    assert [value.hex() for value in found] == INCLUSIONS[index, size]
    assert includes(index, size, LEAVES[index], found, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCIES)
def test_consistency_proofs_of_the_example_tree(old, new):
    _, nodes = grown(LEAVES[:new])
    found = proof(consistency_ranges(old, new), nodes.__getitem__)
    assert [value.hex() for value in found] == CONSISTENCIES[old, new]
    assert grew(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), found)


leaf_lists = st.lists(st.binary(max_size=8).map(leaf_hash), min_size=1, max_size=70)


@given(leaf_lists)
def test_a_growing_tree_has_the_root_of_the_definition(leaves):
    tree, nodes = grown(leaves)
    assert tree.root() == by_definition(leaves)
    again = GrowingTree(len(leaves), [nodes[n] for n in whole_nodes(0, len(leaves))])
    assert again.root() == tree.root()
    for node, value in nodes.items():
        start = node.index << node.level
        assert value == by_definition(leaves[start : start + (1 << node.level)])


@given(leaf_lists, st.data())
def test_every_leaf_is_proven_and_nothing_else(leaves, data):
    tree, nodes = grown(leaves)
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    ranges = inclusion_ranges(index, size)
    assert set(proof_nodes(ranges)) <= set(nodes)
    path = proof(ranges, nodes.__getitem__)
    assert includes(index, size, leaves[index], path, tree.root())
    assert not includes(index, size, leaf_hash(b"another leaf"), path, tree.root())
    assert not includes(index, size, leaves[index], [*path, tree.root()], tree.root())
    assert not includes(size, size, leaves[index], path, tree.root())
    if path:
        assert not includes(index, size, leaves[index], path[:-1], tree.root())


@given(leaf_lists, st.data())
def test_growth_is_proven_and_a_rewritten_past_is_not(leaves, data):
    tree, nodes = grown(leaves)
    new = len(leaves)
    old = data.draw(st.integers(1, new))
    path = proof(consistency_ranges(old, new), nodes.__getitem__)
    assert grew(old, new, root(leaves[:old]), tree.root(), path)
    changed = data.draw(st.integers(0, old - 1))
    forged = [*leaves[:changed], leaf_hash(b"forged, nine"), *leaves[changed + 1 :]]
    forged_tree, forged_nodes = grown(forged)
    forged_path = proof(consistency_ranges(old, new), forged_nodes.__getitem__)
    assert not grew(old, new, root(leaves[:old]), forged_tree.root(), forged_path)
    assert not grew(old, new, root(leaves[:old]), forged_tree.root(), path)
    assert not grew(new, old, tree.root(), root(leaves[:old]), path) or old == new


def test_an_empty_tree_grows_into_any_but_only_without_a_proof():
    assert grew(0, 3, EMPTY_ROOT, root(LEAVES[:3]), [])
    assert not grew(0, 3, EMPTY_ROOT, root(LEAVES[:3]), [LEAVES[0]])
    assert not grew(0, 3, LEAVES[0], root(LEAVES[:3]), [])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_no_proof_of_shrinking(old, new):
    with pytest.raises(ValueError, match="did not grow"):
        consistency_ranges(old, new)


def test_whole_nodes_of_a_right_edge():
    assert whole_nodes(0, 7) == [Node(2, 0), Node(1, 2), Node(0, 6)]
    assert whole_nodes(4, 7) == [Node(1, 2), Node(0, 6)]

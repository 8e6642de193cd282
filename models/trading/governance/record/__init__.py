"""The record of actions as one Merkle tree: hashes, proofs, checkpoints, what a witness accepts."""

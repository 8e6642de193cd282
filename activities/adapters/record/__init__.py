"""The record's signer, and a witness whose memory is a directory."""

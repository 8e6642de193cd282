"""Recovery codes: random enough for a hash without salt."""

from api.access.factors import code_hash, new_recovery_codes

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def test_recovery_codes_are_too_random_for_their_hashes_to_be_guessed_back():
    codes = new_recovery_codes()
    letters = [code.replace("-", "") for code in codes]
    assert len(set(codes)) == len(codes)
    assert all(len(one) * 5 >= 112 and set(one) <= set(BASE32) for one in letters)
    assert code_hash(codes[0]) == code_hash(codes[0].lower().replace("-", " "))

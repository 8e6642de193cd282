"""Recovery codes: random enough for a hash without salt; who has none left is told."""

import psycopg

from api.access.factors import code_hash, new_recovery_codes
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, running_platform

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def test_recovery_codes_are_too_random_for_their_hashes_to_be_guessed_back():
    codes = new_recovery_codes()
    letters = [code.replace("-", "") for code in codes]
    assert len(set(codes)) == len(codes)
    assert all(len(one) * 5 >= 112 and set(one) <= set(BASE32) for one in letters)
    assert code_hash(codes[0]) == code_hash(codes[0].lower().replace("-", " "))


async def test_who_has_no_recovery_codes_left_is_told_until_new_ones_are_made(postgres):
    name = postgres.new_database()

    def use_up(which):
        used = f"UPDATE recovery_codes SET used_at = now() WHERE used_at IS NULL {which}"
        with psycopg.connect(postgres.url("postgres", name), autocommit=True) as connection:
            connection.execute(used)

    async with (
        running_platform(postgres, name, None) as fresh,
        signed_in(fresh.app, PORT_BASE, fresh.admin) as ada,
    ):

        async def needs():
            return (await ada.get("/api/v1/me")).json()["needs_recovery_codes"]

        assert await needs() is False
        use_up("AND code_hash = (SELECT min(code_hash) FROM recovery_codes)")
        assert await needs() is False
        use_up("")
        assert await needs() is True
        made = await ada.post("/api/v1/me/recovery-codes")
        assert made.status_code == 200, made.text
        assert await needs() is False

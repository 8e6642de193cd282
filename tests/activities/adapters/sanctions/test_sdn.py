"""OFAC's forms are read alike, and only what is called like an asset names it."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from activities.adapters.sanctions.assets import assets_named
from activities.adapters.sanctions.sdn import SanctionsListError, read_list

CSV = (
    '36,"AEROCARIBBEAN AIRLINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
    '40,"DOGECOIN","individual","CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
    '41,"SMITH, Jo","individual","CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"DOB 1 Jan 1970; Digital Currency Address - XBT 1BoatSLRHtKNngkdXEeobR76b53LETtpyT; '
    'Digital Currency Address - ETH 0x1da5;"\r\n'
    '42,"RIPPLE",-0- ,"CYBER2",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,"a.k.a. \'Chain-Link\'; x"\r\n'
    "\x1a\r\n"
)
XML = """<?xml version="1.0"?>
<sdnList xmlns="http://tempuri.org/sdnList.xsd">
 <publshInformation><Publish_Date>11/20/2026</Publish_Date></publshInformation>
 <sdnEntry><uid>36</uid><lastName>AEROCARIBBEAN AIRLINES</lastName><sdnType>Entity</sdnType>
  <programList><program>CUBA</program></programList></sdnEntry>
 <sdnEntry><uid>40</uid><lastName>DOGECOIN</lastName><sdnType>Individual</sdnType></sdnEntry>
 <sdnEntry><uid>42</uid><lastName>RIPPLE</lastName><sdnType>Entity</sdnType>
  <programList><program>CYBER2</program></programList>
  <akaList><aka><uid>9</uid><lastName>Chain-Link</lastName></aka></akaList></sdnEntry>
</sdnList>"""
ASSETS = ["BTC", "ETH", "DOGE", "XRP", "LINK"]


@pytest.mark.parametrize(("name", "text"), [("sdn.csv", CSV), ("sdn.xml", XML)])
def test_assets_are_named_by_entries_called_like_them(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, newline="")
    found = read_list(str(path), fewest=1)
    named = assets_named(found.entries, ASSETS)
    # Neither a person called like a coin nor a wallet in one names the coin.
    assert {asset: entry.number for asset, entry in named.items()} == {"XRP": 42, "LINK": 42}
    assert found.published == ("11/20/2026" if name.endswith("xml") else "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CSV, "4 entries"),
        ("1,2,3\r\n", "3 columns"),
        ("", "0 entries"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "DTDForbidden"),
        ("<sdnList><sdnEntry><lastName>X</lastName></sdnEntry></sdnList>", "no number"),
        ("<sdnList><sdnEntry>", "not a list"),
        ("<html><body>Sign in</body></html>", "0 entries"),
    ],
)
def test_what_is_no_whole_list_is_refused(tmp_path, text, words):
    path = tmp_path / "list"
    path.write_text(text, newline="")
    with pytest.raises(SanctionsListError, match=words):
        read_list(str(path))


def test_list_is_fetched_from_an_address_and_never_in_the_clear():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/sdn.csv" else 404)
            self.end_headers()
            self.wfile.write(CSV.encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    try:
        assert len(read_list(f"{base}/sdn.csv", fewest=1).entries) == 4
        with pytest.raises(SanctionsListError, match="404"):
            read_list(f"{base}/gone.csv", fewest=1)
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(SanctionsListError, match="https only"):
        read_list("http://www.example.org/sdn.csv")

"""Client programs are told passwords where no other user of the machine can read them."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from infra.runtime.database.client_programs import connection_words


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://keeper:p%40ss%20word@127.0.0.1:5432/aether?sslmode=disable",
        "host=127.0.0.1 port=5432 user=keeper password='p@ss word' dbname=aether sslmode=disable",
    ],
)
def test_password_is_in_the_environment_and_not_among_the_arguments(address):
    words = connection_words(address, application_name="log")
    assert "ss word" not in words.dbname
    assert words.environment["PGPASSWORD"] == "p@ss word"
    assert conninfo_to_dict(words.dbname) == {
        "host": "127.0.0.1",
        "port": "5432",
        "user": "keeper",
        "dbname": "aether",
        "sslmode": "disable",
        "application_name": "log",
    }


def test_nothing_is_made_up_where_there_is_no_password(monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert "PGPASSWORD" not in connection_words("postgresql:///aether?host=/tmp").environment

from cli.settings_page import PAGE, page


def test_the_page_of_settings_is_the_one_that_its_definitions_make() -> None:
    assert PAGE.read_text() == page(), "python -m cli.settings_page writes it anew"

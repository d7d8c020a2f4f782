from ops.configuration import PAGE, page


def test_the_page_says_what_the_declarations_say() -> None:
    assert PAGE.read_text() == page(), "make docs writes it anew"

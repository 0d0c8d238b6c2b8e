from collections.abc import Iterator

import pytest
from mediawiki import mediawiki
from wiki_of_songs import wiki_pages


@pytest.fixture(scope="session")
def wiki() -> Iterator[str]:
    """The address of the API of a real MediaWiki."""
    with mediawiki(wiki_pages()) as api_url:
        yield api_url

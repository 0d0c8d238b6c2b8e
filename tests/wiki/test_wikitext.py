import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amt_ray.wiki.wikitext import lead_text, shorten


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Evening Rain''' is a ''slow'' waltz.", "Evening Rain is a slow waltz."),
        ("By [[Ada Quaver]] and [[Bela Minim|Minim]] of [[Low Town|Low]]land.", "By Ada Quaver and Minim of Lowland."),
        ("Text.\n== Form ==\nMore.", "Text."),
        ("Text.\n= Form =\nMore.", "Text."),
        ("Not = a heading.\n==Form== <!-- note -->\nMore.", "Not = a heading."),
        ("A <!-- \n== no heading ==\n -->waltz.", "A waltz."),
        ("A waltz<!-- never closed", "A waltz"),
        ("A waltz<ref name=a>{{cite book|title=[[B]]}}</ref><ref name=a /> in D.", "A waltz in D."),
        ("{{Infobox song|name=X|artist=[[Y]]}}\n{{Use dmy dates}}\nA waltz.", "A waltz."),
        ("[[File:Score.png|thumb|The [[first]] page]][[Category:Waltzes]][[de:Walzer]]A waltz.", "A waltz."),
        ("See [[:Category:Waltzes]] and [[K-Pop: A Study]].", "See Category:Waltzes and K-Pop: A Study."),
        ("{| class=wikitable\n|-\n| cell\n|}\nA waltz.", "A waltz."),
        ("One\nparagraph.\n\n\nAnother.", "One paragraph.\nAnother."),
        ("It has:\n* a theme\n** and another\n# a coda", "It has:\na theme\nand another\na coda"),
        (":''For other uses, see [[Rain]].''\nA waltz.", "A waltz."),
        ("Op.&nbsp;27, 3&ndash;4 &amp; 5\u2009min", "Op. 27, 3–4 & 5 min"),
        ("A<br/>B <small>C</small> H<sub>2</sub> <nowiki>''x''</nowiki>", "A B C H2 x"),
        ("[https://example.org Site], [https://example.org], https://example.org", "Site, https://example.org"),
        ("__NOTOC__A <gallery>File:A.png</gallery><math>x^2</math>waltz.{{reflist}}", "A waltz."),
        ("", ""),
    ],
)
def test_markup_becomes_text(wikitext, text):
    assert lead_text(wikitext) == text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("''Titanic'''s band", "Titanic's band"),
        ("''Vive'' l'''amour''", "Vive l'amour"),
        ("'''''both''' then italics''", "both then italics"),
        ("''''four''''", "'four'"),
        ("rock 'n' roll", "rock 'n' roll"),
    ],
)
def test_apostrophes_are_told_from_marks(wikitext, text):
    assert lead_text(wikitext) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{lang|de|''Abendregen''}}", "Abendregen"),
        ("{{lang-de|Abendregen}}", "German: Abendregen"),
        ("{{langx|de|Abendregen|lit=Evening Rain}}", "German: Abendregen"),
        ("{{Lang-xx|Abendregen}}", "Abendregen"),
        ("{{transl|ja|Yūdachi}}", "Yūdachi"),
        ("{{nihongo|'''Evening Rain'''|夕立|Yūdachi}}", "Evening Rain (夕立, Yūdachi)"),
        ("{{nowrap|No. [[2]]}}", "No. 2"),
        ("{{nowrap|1=a=b}}", "a=b"),
        ("{{Convert|5|km|mi}}", "5 km"),
        ("{{convert|1600|-|2000|km2|abbr=on}}", "1,600–2,000 km²"),
        ("{{convert|2.5|to|3|ft}}", "2.5 to 3 ft"),
        ("C{{music|sharp}} in {{music|time|3|4}}", "C♯ in 3/4"),
        ("B{{flat}}", "B♭"),
        ("{{frac|1|2}}, {{frac|3}}, {{frac|1|2|3}}", "1/2, 1/3, 1 2/3"),
        (
            "{{birth date|1873|4|1|df=y}}, {{birth date|1873|4|1}}, {{start date|1873|4}}",
            "1 April 1873, April 1, 1873, April 1873",
        ),
        ("{{birth date|1873|13|1}}", "1873"),
        ("{{OldStyleDate|1 April|1873|20 March}}", "1 April [O.S. 20 March] 1873"),
        ("{{as of|2015|3|lc=y}}, {{circa|1850|1860}}", "as of March 2015, c. 1850 – c. 1860"),
        ("1850{{ndash}}1860{{snd}}x", "1850–1860 – x"),
        ("{{US$|5 million}}, {{val|440|u=Hz}}", "US$5 million, 440 Hz"),
        ("{{HMS|Swan|1803}}, {{ship|SS|Swan}}", "HMS Swan, SS Swan"),
        ("{{ill|Ada Quaver|de|lt=Quaver}}", "Quaver"),
        ("a{{unknown|text}}{{sfn|Quaver|1873}}b", "ab"),
        ("{{nowrap|a {{lang|de|b}} {{unknown|c}}}}", "a b"),
    ],
)
def test_templates_within_sentences_are_shown(template, text):
    assert lead_text(template) == text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("'''Quaver''' ({{IPAc-en|k|w}}; born 1873) was", "Quaver (born 1873) was"),
        ("'''Quaver''' (pronounced {{IPA|kw}} or {{IPA|qu}}) was", "Quaver was"),
        ("'''Quaver''' ({{lang-de|Achtel}}, {{IPA-de|axtl}}; 1873) was", "Quaver (German: Achtel; 1873) was"),
        ("'''Quaver''' {{IPAc-en|k}}, or '''Ada''', was", "Quaver, or Ada, was"),
        ("'''Quaver''' (or '''Ada''') was", "Quaver (or Ada) was"),
        ("'''Quaver''' ( {{unknown}} , ) was", "Quaver was"),
        ("'''Quaver''' [{{unknown}}] was", "Quaver was"),
    ],
)
def test_pronunciations_go_with_the_words_around_them(wikitext, text):
    assert lead_text(wikitext) == text


@pytest.mark.parametrize(
    "damaged",
    [
        "{{Infobox\n| name = x\n| y = z\nA waltz.",
        "A waltz. {{sfn|x",
        "A waltz.]] }}",
        "{| class=x\n| cell\nA waltz.",
        "</div>A waltz.<ref>",
    ],
)
def test_damaged_markup_leaves_the_text(damaged):
    assert lead_text(damaged) == "A waltz."


@pytest.mark.parametrize(
    ("max_chars", "text"),
    [
        (100, "One two. Three four! Five"),
        (24, "One two. Three four!"),
        (19, "One two."),
        (8, "One two."),
        (6, "One"),
        (2, "On"),
    ],
)
def test_a_text_is_cut_after_a_sentence_or_word(max_chars, text):
    assert shorten("One two. Three four! Five", max_chars) == text


def test_a_lead_has_at_most_so_many_characters():
    assert lead_text("A waltz. " * 1000, 100) == " ".join(["A waltz."] * 11)


def test_a_page_without_headings_is_read_as_far_as_a_lead_may_go():
    assert lead_text("x " * 1_000_000 + "== H ==", 2_000_000).split() == ["x"] * 15_000


MARKUP = [
    "[[", "]]", "{{", "}}", "'''", "''", "'", "|", "=", "==", "<ref>", "</ref>", "<ref/>", "{|", "|}", "|-", "\n", "\n\n",
    "a", "Word. ", "*", ":", ";", "&nbsp;", "&#91;", "&#123;", "&#39;", "&amp;", "<!--", "-->", "lang|de|", "nowrap|",
    "IPA|x", "convert|5|km", "File:", "de:", "[http://x.org ", "]", "[", "{", "}", "(", ")", ",", " or ", "<nowiki>",
    "</nowiki>", "<b>", "</b>", "\ufffc", "\u200b",
]  # fmt: skip


@given(st.lists(st.sampled_from(MARKUP), max_size=40).map("".join) | st.text(max_size=60), st.integers(1, 60))
def test_no_markup_is_left_whatever_comes(wikitext, max_chars):
    text = lead_text(wikitext, max_chars)
    assert not re.search(r"\[\[|\]\]|\{\{|\}\}|'''|\ufffc|\u200b|  |^\s|\s$|\n\n", text)
    assert len(text) <= max_chars

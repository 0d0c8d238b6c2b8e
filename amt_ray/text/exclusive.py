"""Whether a text wants no instruments but those it names: "only piano", "solo flute", "strings alone", "nothing else"."""

from __future__ import annotations

from collections.abc import Sequence

from amt_ray.text.clean import Token
from amt_ray.text.lexicon import Match

SOLO_WORDS = frozenset({"solo", "unaccompanied", "lone", "solitary", "lonely"})
_ONLY_BEFORE = frozenset({"only", "just", "solely", "exclusively", "purely", "nur", "seulement", "solamente", "soltanto"})
_ONLY_AFTER = frozenset({"only", "alone", "unaccompanied", "exclusively"})
# "left hand alone": what may stand between.
_BEFORE_ALONE = frozenset({"left", "right", "hand", "hands", "all", "part", "parts"})
_FILLERS_WORDS = "a an the for by on with of in performed played using use one two three four"
_FILLERS = frozenset(_FILLERS_WORDS.split())
_MAX_FILLERS = 4
_DENIALS = frozenset({"not", "isn't", "don't", "never", "no"})
_CLOSING_WORDS = (
    "nothing else|nothing more|nothing but|nothing except|nothing apart|no other instruments|"
    "no other instrument|no others|"
    "no one else|nobody else|no accompaniment|without accompaniment|without any accompaniment|no backing|"
    "no band|no instruments|"
    "without other instruments|no additional instruments|without instruments|no further instruments|"
    "that's it|that's all|"
    "that is all|that is it|by itself|by themselves|on its own|on their own|a cappella|a capella|acappella|"
    "ohne begleitung|sans accompagnement"
)
_CLOSINGS = [tuple(words.split()) for words in _CLOSING_WORDS.split("|")]
_CLOSINGS_BY_FIRST = {first: [words for words in _CLOSINGS if words[0] == first] for first, *_ in _CLOSINGS}
# Music that one plays alone; elsewhere a solo is a part of the piece.
_ALONE_GENRES = frozenset({"renaissance", "baroque", "classical", "romantic", "modern", "ragtime"})
_GROUP_SIZES = {"duo": 2, "duet": 2, "trio": 3}
_SURELY_ONE_LINE = 0.8


def is_exclusive(tokens: Sequence[Token], stated: Sequence[Match]) -> bool:
    """Tell from the words around the instruments among the matches (in the text's order). Linear time."""
    players = [match for match in stated if any(meaning.kind == "instrument" for meaning in match.meanings)]
    if not players:
        return False
    names = {meaning.name for match in players for meaning in match.meanings if meaning.kind == "instrument"}
    return (
        _is_closed(tokens)
        or _is_alone(tokens, players)
        or (len(players) == 1 and _is_solo_piece(tokens, players[0], stated))
        or _is_only_before(tokens, players[0], len(names))
        or any(_GROUP_SIZES.get(token.word) == len(names) for token in tokens)
        or (len(names) == 1 and _is_one_line(stated))
    )


def _is_closed(tokens: Sequence[Token]) -> bool:
    """Whether the text says somewhere that nothing else plays."""
    for i, token in enumerate(tokens):
        for words in _CLOSINGS_BY_FIRST.get(token.word, ()):
            if tuple(t.word for t in tokens[i : i + len(words)]) == words:
                return True
    return False


def _is_alone(tokens: Sequence[Token], players: Sequence[Match]) -> bool:
    """Find "strings alone", "piano left hand alone"."""
    i = players[-1].last + 1
    while (
        i < len(tokens) and i - players[-1].last <= _MAX_FILLERS and tokens[i].is_joined and tokens[i].word in _BEFORE_ALONE
    ):
        i += 1
    return i < len(tokens) and tokens[i].is_joined and tokens[i].word in _ONLY_AFTER


def _is_solo_piece(tokens: Sequence[Token], player: Match, stated: Sequence[Match]) -> bool:
    """Find "presto, piano solo, stormy" and "🥁 solo", but no "rock with a guitar solo" nor "metal, guitar solo"."""
    i = player.last + 1
    is_item = not tokens[player.first].is_joined or player.first == 0
    if not is_item or i >= len(tokens) or tokens[i].word != "solo" or (i + 1 < len(tokens) and tokens[i + 1].is_joined):
        return False
    genres = {meaning.name for match in stated for meaning in match.meanings if meaning.kind == "genre"}
    return genres <= _ALONE_GENRES


def _is_only_before(tokens: Sequence[Token], player: Match, n_names: int) -> bool:
    before, word = _words_before(tokens, player.first)
    return (word in SOLO_WORDS and n_names == 1) or (word in _ONLY_BEFORE and before not in _DENIALS)


def _words_before(tokens: Sequence[Token], first: int) -> tuple[str, str]:
    """The two words before an instrument and what may stand between them: "not only for two violins"."""
    i = first
    while i > 0 and first - i <= _MAX_FILLERS and tokens[i].is_joined and tokens[i - 1].word in _FILLERS:
        i -= 1
    if i == 0 or not tokens[i].is_joined:
        return "", ""
    return tokens[i - 2].word if i > 1 else "", tokens[i - 1].word


def _is_one_line(stated: Sequence[Match]) -> bool:
    meanings = (meaning for match in stated for meaning in match.meanings if meaning.kind == "polyphony")
    return any(meaning.name == "mono" and meaning.confidence >= _SURELY_ONE_LINE for meaning in meanings)

"""Of an article the sentences that speak of how its music sounds.

A sentence gets two scores. The lexicon's: what `analyse` finds in it and words such as "riff" and "counterpoint", less
words of charts, sales, lives and plots, and less years; names and titles count for nothing. The encoder's: how much nearer
the sentence's vector is to descriptions of sound than to such other matters. A logistic function of both, fitted to labelled
sentences (`benchmarks/sentences.py`), gives the probability that the sentence speaks of the music. A sentence that says
no more of it than a style counts ("is a song by the Swedish pop group …"), one that names an occupation does not.

Legend: B sentences, D numbers to a vector, A described anchors.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import chain, pairwise

import numpy as np

from amt_ray.text.analyse import analyse
from amt_ray.text.calibration import FloatArray
from amt_ray.text.clean import stop_words, tokenize
from amt_ray.text.lexicon_files import read_rows
from amt_ray.text.sentences import split_sentences
from amt_ray.text.zero_shot import Encode

MAX_WORDS = 120
"""Of a musical text; the encoder reads 256 word pieces."""
MAX_SENTENCE_CHARS = 1_000
"""What is longer is no prose: a list, or a text without full stops."""
THRESHOLD = 0.5
"""Of the probability."""

WEIGHTS = (1.6, 17.0)
"""Of the lexicon's score and the encoder's, in the logistic function."""
BIAS = -3.0

MUSICAL_ANCHORS = (
    "The song is a slow ballad in a minor key with piano, strings and soft vocals.",
    "The arrangement has electric guitar, bass, drums and synthesizers.",
    "The tempo is fast, in 4/4 time, with a syncopated rhythm.",
    "The melody rises over a chord progression and repeats in the chorus.",
    "The movement is in sonata form, with a lyrical second theme in the dominant.",
    "Their music blends rock, jazz, folk and electronic styles.",
    "A piece for solo instrument or orchestra in three movements.",
    "The band is known for heavy riffs, distorted guitars and powerful drumming.",
)
OTHER_ANCHORS = (
    "It reached number one in the charts and sold a million copies.",
    "It was released as a single from the album on a record label.",
    "He was born in a town and studied at the conservatory.",
    "She married, moved to another city and died at home.",
    "The members of the band left and were replaced by others.",
    "It won an award and was ranked among the greatest of all time.",
    "The lyrics tell the story of a man who loses his love.",
    "It was first performed and published in that year and dedicated to a patron.",
    "The music video was directed and filmed for television.",
    "A town, an animal, a war, a company or a law.",
)

_MOST_SAID = 3.0
_YEAR_WEIGHT = -0.3
_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”“]*”")
_CAPITALISED = r"(?!(?:Nos?|Op)\.)[A-ZÀ-ÖØ-Þ][^\W\d_][\w'’-]*"
_NAME = re.compile(rf"(?<![\w'’-]){_CAPITALISED}(?:[ ]+(?:(?:of|the|and|for|at|&|de|von|van)[ ]+){{0,2}}{_CAPITALISED})+")
"""Several capitalised words: "Rock and Roll Hall of Fame"."""
_WORK_NUMBER = re.compile(r"[ ]+(?:(?:Nos?|Op)\.|in [A-G]\b)")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")


def musical_texts(articles: Sequence[str], encode: Encode) -> list[str]:
    """Return for each article its sentences about the music in the article's order, "" where there are none.

    The likeliest sentences are taken as long as they fit into `MAX_WORDS` words. `encode` gives float32[B, D] of unit rows
    and is called once, for the sentences of all articles together; not at all if there are none. Sentences are read as
    English: of other languages, words that English shares count ("concerto"), and what the encoder makes of them.
    """
    sentences = [[s for s in split_sentences(article) if _is_candidate(s)] for article in articles]
    probabilities_B = iter(musical_probabilities(list(chain.from_iterable(sentences)), encode))
    return [_picked(own, [next(probabilities_B) for _ in own]) for own in sentences]


def musical_probabilities(sentences: Sequence[str], encode: Encode) -> FloatArray:
    """Return float64[B]: how likely each sentence speaks of how music sounds. `encode` as for `musical_texts`."""
    lexicon_B = np.array([lexicon_score(sentence) for sentence in sentences])
    logits_B = WEIGHTS[0] * lexicon_B + WEIGHTS[1] * embedding_scores(sentences, encode) + BIAS
    return np.asarray(1 / (1 + np.exp(-logits_B)), np.float64)


def lexicon_score(sentence: str) -> float:
    """Return what the word lists say for a sentence less what they say against it, each at most 3. Linear."""
    said = unnamed(sentence)
    words = [token.word for token in tokenize(said)]
    weights = [*_word_weights(words), *(_YEAR_WEIGHT for word in words if _YEAR.fullmatch(word))]
    gain = sum(_found(said)) + sum(weight for weight in weights if weight > 0)
    loss = -sum(weight for weight in weights if weight < 0)
    return min(gain, _MOST_SAID) - min(loss, _MOST_SAID)


def embedding_scores(sentences: Sequence[str], encode: Encode) -> FloatArray:
    """Return float64[B]: the mean cosine with the musical anchors less that with the others."""
    if not sentences:
        return np.zeros(0)
    anchors = (*MUSICAL_ANCHORS, *OTHER_ANCHORS)
    vectors_BD = np.asarray(encode([*anchors, *sentences]), np.float64)
    cosines_BA = vectors_BD[len(anchors) :] @ vectors_BD[: len(anchors)].T
    n_musical = len(MUSICAL_ANCHORS)
    scores_B: FloatArray = cosines_BA[:, :n_musical].mean(1) - cosines_BA[:, n_musical:].mean(1)
    return scores_B


def unnamed(sentence: str) -> str:
    """Return a sentence without titles in quotes and what looks like a name: neither says how music sounds.

    Quotations stay ("a slow, mournful waltz"), and so do the names of works before a number or key ("Piano Sonata No. 3").
    """
    return _NAME.sub(_without_name, _QUOTED.sub(_without_title, sentence))


def _without_title(match: re.Match[str]) -> str:
    is_title = not any(word[0].islower() for word in _LONG_WORD.findall(match.group()))
    return " – " if is_title else match.group()


def _without_name(match: re.Match[str]) -> str:
    if _WORK_NUMBER.match(match.string, match.end()):
        return match.group()
    first, _, rest = match.group().partition(" ")
    # A sentence's first word is capitalised, name or not.
    is_opening = match.start() == 0 and first.lower() in stop_words()
    return f"{first} {_NAME.sub(' – ', rest)}" if is_opening else " – "


def _found(said: str) -> list[float]:
    """Return how sure we are of each place of a sentence that says something of music; a mood counts half."""
    analysis = analyse(said)
    places = [
        *((mention.span, mention.confidence) for mention in analysis.instruments),
        *((genre.span, genre.confidence) for genre in analysis.genres),
        *((mood.span, 0.5 * mood.confidence) for mood in analysis.moods),
        # Articles tell the lengths of much else: "spent three minutes", "two hours later".
        *((value.span, value.confidence) for name, value in analysis.evidence.items() if name != "duration_s"),
    ]
    surest: dict[tuple[int, int], float] = {}
    for span, confidence in places:
        surest[span] = max(surest.get(span, 0.0), confidence)
    return list(surest.values())


@cache
def _weights() -> dict[str, float]:
    return {row["term"]: float(row["weight"]) for row in read_rows("music_words")}


def _word_weights(words: Sequence[str]) -> list[float]:
    pairs = [f"{word} {following}" for word, following in pairwise(words)]
    return [_weights()[term] for term in dict.fromkeys([*words, *pairs]) if term in _weights()]


def _is_candidate(sentence: str) -> bool:
    return len(sentence) <= MAX_SENTENCE_CHARS and len(sentence.split()) <= MAX_WORDS


def _picked(sentences: Sequence[str], probabilities: Sequence[float]) -> str:
    taken: list[int] = []
    n_words = 0
    for i in sorted(range(len(sentences)), key=lambda i: -probabilities[i]):
        length = len(sentences[i].split())
        if probabilities[i] >= THRESHOLD and n_words + length <= MAX_WORDS:
            taken.append(i)
            n_words += length
    return " ".join(sentences[i] for i in sorted(taken))

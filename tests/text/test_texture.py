import pytest

from amt_ray.text.analyse import analyse


@pytest.mark.parametrize(
    ("text", "polyphony"),
    [
        ("solo flute", "mono"), ("just one lonely trumpet", "mono"), ("violin without accompaniment", "mono"),
        ("one note at a time", "mono"), ("a single melody line", "mono"), ("bass line only", "mono"),
        ("solo piano", None), ("two flutes alone", None), ("music", None), ("a flute and a piano", None),
        ("a string quartet", "poly"), ("a four-part fugue", "poly"), ("a round for three recorders", "poly"),
        ("two-voice counterpoint", "poly"), ("interweaving lines", "poly"), ("a canon", "poly"),
        ("a fugue for four voices", "poly"), ("2 voices, harpsichord", "poly"),
        ("two-part invention", "poly"),
        ("melody with chords", "homo"), ("block chords", "homo"), ("a hymn", "homo"),
        ("accompanied by strings", "homo"),
        ("lead with chords in the background", "homo"),
    ],
)  # fmt: skip
def test_polyphony(text, polyphony):
    assert analyse(text).polyphony == polyphony


@pytest.mark.parametrize(
    ("text", "density"),
    [
        ("sparse piano", "sparse"), ("minimal techno", "sparse"), ("very few notes", "sparse"),
        ("a busy fugue", "dense"),
        ("thick texture", "dense"), ("lots of notes", "dense"), ("a simple drum beat", None),
        ("thick fog", None), ("piano", None),
    ],
)  # fmt: skip
def test_density(text, density):
    analysis = analyse(text)
    assert analysis.density == density
    assert ("density" in analysis.evidence) == (density is not None)

import pytest

from amt_ray.text.lengths import find_bars, find_duration


def value(found):
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("16 bars", 16),
        ("a sixteen-bar loop", 16),
        ("thirty-two measures", 32),
        ("12-bar blues", None),
        ("0 bars", None),
        ("an 8-bar intro", None),
        ("the first 8 bars", None),
        ("every 4 bars", None),
        ("bars: 24", 24),
        ("two bars of chocolate", None),
        ("a hundred bars", 100),
        ("loops after 40 bars", 40),
    ],
)
def test_bars(text, bars):
    assert value(find_bars(text)) == bars


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [
        ("two minutes", (120.0, 120.0)),
        ("30 seconds", (30.0, 30.0)),
        ("a 45-second clip", (45.0, 45.0)),
        ("2 to 3 minutes", (120.0, 180.0)),
        ("1 minute 30 seconds", (90.0, 90.0)),
        ("two minutes and a half", (150.0, 150.0)),
        ("half a minute", (30.0, 30.0)),
        ("under a minute", (0.0, 60.0)),
        ("100 beats a minute", None),
        ("the 90s", None),
        ("2:30", (150.0, 150.0)),
        ("2m30s", (150.0, 150.0)),
        ("90 s", (90.0, 90.0)),
        ("3 min 20 s", (200.0, 200.0)),
        ("2 minutes 5s", (125.0, 125.0)),
        ("3 minutes 5 sad songs", (180.0, 180.0)),
        ("an hour", (3600.0, 3600.0)),
        ("about a quarter of an hour", (810.0, 990.0)),
        ("just under a minute", (51.0, 60.0)),
        ("roughly three and a half minutes", (189.0, 231.0)),
        ("a couple of minutes", (90.0, 150.0)),
        ("at least two minutes", (120.0, 180.0)),
        ("on Monday at 9:30", None),
        ("3:15 pm", None),
        ("every 30 seconds", None),
        ("wait a minute", None),
        ("2 minor keys", None),
    ],
)
def test_duration(text, duration_s):
    assert value(find_duration(text)) == (None if duration_s is None else pytest.approx(duration_s))

import pytest

from amt_ray.text.analysis import NAMED, Label, surest


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ([], None),
        ([("jazz", 0.5), ("pop", 0.9)], "pop"),
        ([("jazz", 0.9), ("pop", 0.9)], "jazz"),
        ([("film", 0.9), ("pop", 0.4)], "pop"),
        ([("pop", NAMED)], "pop"),
        ([("pop", NAMED - 0.01)], None),
    ],
)
def test_the_surest_label_is_one_that_is_allowed_and_named(labels, name):
    assert surest([Label(name, confidence, (0, 1)) for name, confidence in labels], ("jazz", "pop")) == name

import pytest

from gazecode.report.colour import LEVELS, PALETTES, contrast

TEXTS = ("ink", "muted", "token", "between", "off", "lost", "bad", "good")


@pytest.mark.parametrize("scheme", PALETTES)
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_text_can_be_read(scheme, name, ground):
    colours = PALETTES[scheme]
    assert contrast(colours[name], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", PALETTES)
@pytest.mark.parametrize("ramp", ["w", "n"])
def test_code_can_be_read_on_every_step(scheme, ramp):
    colours = PALETTES[scheme]
    ratios = [contrast(colours["ink"], colours[f"{ramp}{i}"]) for i in range(1, LEVELS + 1)]
    print(scheme, ramp, [round(r, 1) for r in ratios])
    assert min(ratios) >= 4.5
    # One direction, no step lost: that is what makes it a scale.
    assert ratios == sorted(ratios, reverse=True)
    assert len(set(ratios)) == LEVELS


@pytest.mark.parametrize("scheme", PALETTES)
def test_statuses_stand_out_of_the_strongest_shade(scheme):
    """Circles need 3 to 1 against their ground (WCAG 2.2, 1.4.11), and a hue each."""
    colours = PALETTES[scheme]
    for name in ("token", "between", "off", "lost"):
        assert contrast(colours[name], colours["paper"]) >= 3.0
    assert len({colours[n] for n in ("token", "between", "off", "lost")}) == 4

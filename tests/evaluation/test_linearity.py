import pandas as pd
import pytest

from gazecode.errors import FormatError
from gazecode.evaluation.linearity import linearity_table, order_table
from gazecode.evaluation.reading_paths import busjahn2013, busjahn2014, left_out, peitek2020


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match="holds none of busjahn2013-eyecode"):
        linearity_table(tmp_path)
    (tmp_path / "linearity-peitek2020").mkdir()
    with pytest.raises(FormatError, match="expected the set's folders"):
        linearity_table(tmp_path)
    (tmp_path / "busjahn2013-eyecode").mkdir()
    with pytest.raises(FormatError, match=r"raw_fixations\.csv cannot be read"):
        order_table(tmp_path)


@pytest.mark.real
def test_no_fixation_is_lost_and_every_line_is_one_of_the_text(shared_data):
    paths = list(busjahn2013(shared_data))
    assert sum(len(path.line) for path in paths) == 698
    # 631 were put on a line by hand.
    assert sum((path.line >= 0).sum() for path in paths) == 631
    for path in [*paths, *busjahn2014(shared_data)]:
        assert set(path.line[path.line >= 0]) <= set(path.code_lines)
        assert set(path.orders["story"]) <= set(path.code_lines)
        counts = path.measured()
        assert counts.fixations == len(path.line)
        assert counts.pairs + counts.broken == len(path.line) - 1


@pytest.mark.real
def test_the_orders_of_the_replication_count_lines_that_hold_code(shared_data):
    for path in peitek2020(shared_data):
        for order in path.orders.values():
            assert set(order) <= set(path.code_lines), path.name
        assert list(path.orders["story"]) == sorted(path.orders["story"])
    assert left_out(shared_data)["recordings"] >= 2  # Two are not in the table of screens.


@pytest.mark.real
def test_figures_are_in_the_published_order(shared_data):
    """Text is read more linearly than code; the levels are those of Busjahn et al. 2015."""
    table = pd.DataFrame(linearity_table(shared_data))
    pairs = table[table["of"] == "pairs"].set_index(["set", "group", "measure"])["share"]
    text = pairs["busjahn2014-eyecode", "natural text, novices"]
    assert text["no regression"] == pytest.approx(0.80, abs=0.05)
    assert text["vertical later"] > 0.9
    for where in (
        ("busjahn2013-eyecode", "Java"),
        ("linearity-peitek2020", "Java, experienced"),
        ("linearity-peitek2020", "Java, novices"),
    ):
        code = pairs[where]
        assert code["no regression"] < text["no regression"] - 0.1
        assert 0.5 < code["no regression"] < 0.65
        assert 0.55 < code["vertical next"] < 0.7
        assert 0.65 < code["vertical later"] < 0.8
    assert set(table.loc[table["published"] != "", "measure"]) == {
        "vertical next",
        "vertical later",
        "no regression",
    }


@pytest.mark.real
def test_text_follows_its_story(shared_data):
    rows = {(r["set"], r["group"], r["order"]): r for r in order_table(shared_data)}
    text = rows["busjahn2014-eyecode", "natural text, novices", "story"]
    code = rows["busjahn2013-eyecode", "Java", "story"]
    assert text["dynamic_share"] > 0.3
    assert code["dynamic_share"] < 0
    for row in rows.values():
        assert row["dynamic"] >= row["naive"]

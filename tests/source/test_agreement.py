"""How far our labels agree with those published, on the sample rows of EyeMulator.

Zhang et al., github.com/CoderDoge1108/EyeMulator, CC-BY-4.0. `label_agreement` measures; what it
prints is the table of the documentation.
"""

import pytest

from gazecode.source.published import fit_name_table, label_agreement, read_rows

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def rows(shared_data):
    folder = shared_data / "eyemulator" / "dataset_sample"

    def of(*splits):
        return read_rows(sorted(f for s in splits for f in folder.glob(f"*_{s}_sample.jsonl")))

    return of


@pytest.fixture(scope="module")
def found(rows):
    return label_agreement(rows("train", "valid", "test"))


def test_strict_labels_agree(found, capsys):
    with capsys.disabled():
        print(f"\n{found.n_rows} rows, {found.n_aligned} of {found.n_published} tokens aligned")
        print(f"agreement {found.agreement:.4f}, calls and externals merged {found.merged:.4f}")
        print(found.to_markdown())
    assert (found.n_rows, found.mode) == (270, "strict")
    assert found.n_aligned / found.n_published > 0.96
    assert found.agreement > 0.986
    assert found.merged > 0.997


def test_a_name_table_of_other_rows_helps(rows):
    table = fit_name_table(rows("train", "valid"))
    strict, compat = (label_agreement(rows("test"), compat=names) for names in (None, table))
    print(f"{len(table)} names; {strict.agreement:.4f} strict, {compat.agreement:.4f} compat")
    assert compat.mode == "compat"
    assert compat.agreement > 0.99 > strict.agreement


def test_the_stream_has_the_tokens_of_the_rows(found):
    print(f"{found.n_same_tokens} of {found.n_published} published and {found.n_ours} ours")
    # Theirs have the methods of anonymous classes twice.
    assert found.n_same_tokens / found.n_published > 0.96
    assert found.n_same_tokens / found.n_ours > 0.98

"""Tables of areas as studies publish them."""

import gzip
import re

import pytest

from gazecode.errors import FormatError, ParameterError
from gazecode.mapping import read_boxes

BOXES = "level,x1,y1,x2,y2\nline,0,0,99,20\nelement,0,0,40,20\nelement,50,0,99,20\n"


@pytest.fixture
def table(tmp_path):
    def write(text, name="boxes.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def rows(frame):
    return frame.to_numpy().tolist()


@pytest.mark.parametrize(
    "text",
    [
        "text,x0,y0,x1,y1\nnull,1,2,4,7\n",
        "token;x1;y1;x2;y2\nnull;1;2;4;7\n",
        "\ufefftext\tleft\ttop\tright\tbottom\r\nnull\t1\t2\t4\t7\r\n",
        "x,y,width,height,text\n1,2,3,5,null\n",
        "token,aoi_x,aoi_y,aoi_width,aoi_height\nnull,1,2,3,5\n",
    ],
)
def test_sides_are_found_by_name_and_null_stays_a_word(table, text):
    assert rows(read_boxes(table(text))) == [["null", 1.0, 2.0, 4.0, 7.0]]


def test_texts_of_another_table_belong_to_the_chosen_rows(table):
    frame = read_boxes(
        table(BOXES),
        where={"level": "element"},
        texts=table("token\tpart\nint\t1\n\t2\n", "t.tsv"),
    )
    assert rows(frame) == [["int", 0, 0, 40, 20], [None, 50, 0, 99, 20]]


FRACTIONS = "word,n,x,y,width,height,fx,fy,fw,fh\na,0,5,6,7,8,0.1,0.5,0.2,0.1\na,1,9,9,9,9,0.3,0.5,0.1,0.1\n"
SIZES = {"x": "fx", "y": "fy", "width": "fw", "height": "fh"}


def test_columns_that_are_named_win_and_fractions_become_pixels(table):
    frame = read_boxes(table(FRACTIONS), text_column="word", columns=SIZES, scale_px=(1000, 100))
    assert rows(frame)[0] == ["a", pytest.approx(100), 50, pytest.approx(300), pytest.approx(60)]
    corners = {"x0": "x", "y0": "y", "x1": "width", "y1": "height"}
    assert rows(read_boxes(table("x,y,width,height\n1,2,4,7\n"), columns=corners))[0][1:] == [
        1,
        2,
        4,
        7,
    ]


def test_boxes_can_be_left_out(table):
    path = table(FRACTIONS)
    assert read_boxes(path, without={"word": "a", "n": 1})["x0"].tolist() == [5]
    with pytest.raises(FormatError, match="no box to leave out where {'word': 'b'}"):
        read_boxes(path, without={"word": "b"})
    with pytest.raises(FormatError, match="no box left where {}"):
        read_boxes(path, without={"word": "a"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"x": "fx"}}, "columns names x; expected x0 y0 x1 y1 or x y width height"),
        ({"columns": SIZES | {"x": "gx"}}, "no column gx; found word, n"),
        ({"scale_px": (0, 1)}, r"scale_px is \(0, 1\); expected \(x, y\), both positive numbers"),
        ({"scale_px": (1, 2, 3)}, r"scale_px is \(1, 2, 3\); expected"),
    ],
)
def test_wrong_columns_and_scales_are_refused(table, options, message):
    with pytest.raises((ParameterError, FormatError), match=message):
        read_boxes(table(FRACTIONS), **options)


def test_where_takes_lists_and_numbers(table):
    text = "kind,n,x0,y0,x1,y1\na,1,0,0,1,1\nb,1,0,0,2,2\nc,2,0,0,3,3\n"
    assert read_boxes(table(text), where={"kind": ["a", "b"], "n": 1})["x1"].tolist() == [1, 2]


def test_shrinking_takes_from_every_side(table):
    path = table(BOXES)
    frame = read_boxes(path, where={"level": "element"}, shrink_px=(7, 1, 4, 2))
    assert rows(frame)[0] == [None, 7, 1, 36, 18]
    assert rows(read_boxes(path, shrink_px=(5, 2)))[1] == [None, 5, 2, 35, 18]


def test_gzip(tmp_path):
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(BOXES.encode()))
    assert len(read_boxes(path)) == 3


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        (
            "a,b\n1,2\n", {}, FormatError,
            ("boxes.csv: no column x0, y0, x1, y1; found a, b. Also known: x1 y1 x2 y2, "
             "left top right bottom, x y width height"),
        ),
        (
            BOXES, {"where": {"kind": "x"}}, FormatError,
            "boxes.csv: no column kind; found level, x1, y1, x2, y2",
        ),
        (
            BOXES, {"where": {"level": "word"}}, FormatError,
            "boxes.csv: no box left where {'level': 'word'}; look at the file's columns",
        ),
        (
            BOXES, {"text_column": "word"}, FormatError,
            "boxes.csv: no column word; found level, x1, y1, x2, y2. Name it with text_column",
        ),
        (
            "x0,y0,x1,y1\n1,2,three,4\n", {}, FormatError,
            ("boxes.csv: a box has a side that is not a number (could not convert string to "
             "float: 'three')"),
        ),
        (
            BOXES, {"shrink_px": (30, 0)}, ParameterError,
            "shrink_px (30, 0) leaves nothing of box 1, [0.0, 0.0, 40.0, 20.0]; take less",
        ),
        (
            BOXES, {"shrink_px": (1, 2, 3)}, ParameterError,
            "shrink_px is (1, 2, 3); expected (x, y) or (left, top, right, bottom)",
        ),
    ],
)  # fmt: skip
def test_wrong_tables_say_what_is_wrong(table, text, options, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        read_boxes(table(text), **options)


def test_texts_must_be_as_many_as_boxes(table):
    message = (
        "t.csv has 1 texts and boxes.csv 3 boxes; expected one text per box in the same order: "
        "select boxes with where"
    )
    with pytest.raises(FormatError, match=f"^{re.escape(message)}$"):
        read_boxes(table(BOXES), texts=table("text\na\n", "t.csv"))


@pytest.mark.parametrize(
    "content", [pytest.param(b"", id="empty"), pytest.param(b"\xff\xfe\x00\x01", id="binary")]
)
def test_what_is_no_table_is_refused(table, content):
    with pytest.raises(FormatError, match=r"^boxes\.csv is not a table of boxes \("):
        read_boxes(table(content))


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FormatError, match="no such file; check the path"):
        read_boxes(tmp_path / "none.csv")
    with pytest.raises(FormatError, match="is not a table of boxes"):
        read_boxes(tmp_path)

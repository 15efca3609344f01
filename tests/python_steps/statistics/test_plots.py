"""Claims about plots."""

import struct

from python_steps.statistics.plots import panels


def size_of(picture):
    """Width and height in pixels, from the header of a PNG."""
    assert picture.startswith(b"\x89PNG")
    return struct.unpack(">II", picture[16:24])


def draw(axes, number):
    axes.plot([0, number], label=f"line {number}")


def test_equal_drawings_are_equal_bytes_and_name_no_software():
    first = panels([1, 2], draw, size=(2, 2))
    assert first == panels([1, 2], draw, size=(2, 2))
    assert first != panels([1, 3], draw, size=(2, 2))
    assert b"matplotlib" not in first.lower()


def test_panels_stand_in_lines_and_a_legend_beside_them():
    alone, pair = (
        size_of(panels([1], draw, size=(2, 1))),
        size_of(panels([1, 2], draw, size=(2, 1))),
    )
    assert pair == (2 * alone[0], alone[1])
    assert size_of(panels([1, 2, 3], draw, size=(2, 1), columns=2)) == (pair[0], 2 * pair[1])
    assert size_of(panels([1], draw, size=(2, 1), legend_width=2)) == pair


def test_the_legend_explains_the_lines():
    with_legend = panels([1], draw, size=(2, 2), legend_width=1)
    assert with_legend != panels([2], draw, size=(2, 2), legend_width=1)
    assert size_of(with_legend)[0] > size_of(panels([1], draw, size=(2, 2)))[0]

"""A page of code on a screen of 43 px per degree, in cells of 20 × 29 px."""

import math

import pytest

from gazecode.mapping.grid import grid_layout
from gazecode.model import Screen
from gazecode.source import parse

CODE = """\
package sort;

/** Sorts numbers in place. */
public class InsertionSort {
    private final int[] values;
    private int comparisons = 0;

    public InsertionSort(int[] values) {
        this.values = values.clone();
    }

    public int[] sorted() {
        for (int i = 1; i < values.length; i++) {
            int current = values[i];
            int position = i - 1;
            while (position >= 0 && greater(values[position], current)) {
                values[position + 1] = values[position];
                position--;
            }
            values[position + 1] = current;
        }
        return values;
    }

    private boolean greater(int left, int right) {
        comparisons++;
        return left > right;
    }

    public static void main(String[] arguments) {
        int[] numbers = {5, 2, 9, 1};
        System.out.println(new InsertionSort(numbers).sorted().length);
    }
}
"""
PX_PER_DEG = 43.0


@pytest.fixture(scope="session")
def tokens():
    return parse(CODE, "java")


@pytest.fixture(scope="session")
def layout(tokens):
    return grid_layout(tokens, origin_px=(300, 40), char_width_px=20, line_height_px=29)


@pytest.fixture(scope="session")
def screen():
    px_per_mm = (1920 / 509 + 1080 / 286) / 2
    distance = PX_PER_DEG / px_per_mm / math.tan(math.radians(1))
    return Screen(width_px=1920, height_px=1080, width_mm=509, height_mm=286, distance_mm=distance)

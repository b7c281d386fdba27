#!/usr/bin/env python3
"""The pages of src/report in a real browser. Skipped without Chromium; $TANDEM_SCREENSHOTS keeps pictures of them."""

import os
import pathlib
import sys
import unittest

from browser import Browser, find_chromium
from sample_pages import SamplePages

SKIPPED = 77  # What ctest shows as "Skipped".

# How many pixels of each canvas differ from its most common colour, and which colours the canvas has.
CANVASES = """
[...document.querySelectorAll("canvas")].map((canvas) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const counts = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const color = data[i + 3] === 0 ? "none" : `${data[i]},${data[i + 1]},${data[i + 2]}`;
    counts.set(color, (counts.get(color) || 0) + 1);
  }
  const drawn = data.length / 4 - Math.max(...counts.values());
  return {id: canvas.id, width: canvas.width, height: canvas.height, drawn, colors: [...counts.keys()]};
})
"""


class InBrowser(SamplePages):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser(find_chromium())
        cls.addClassCleanup(cls.browser.close)
        cls.pictures = pathlib.Path(os.environ.get("TANDEM_SCREENSHOTS", cls.folder / "pictures"))
        cls.pictures.mkdir(exist_ok=True)

    def open(self, name, picture, **options):
        path = self.folder / name
        self.browser.open(path, **options)
        self.assertEqual(self.browser.complaints(), [])
        self.assertEqual(self.browser.requests(), [path.as_uri()])
        self.browser.screenshot(self.pictures / f"{picture}.png")

    def colors(self):
        return set().union(*(canvas["colors"] for canvas in self.browser.evaluate(CANVASES)))

    def test_every_chart_is_drawn(self):
        self.open("readable.html", "light")
        canvases = self.browser.evaluate(CANVASES)
        self.assertEqual(len(canvases), 3)
        for canvas in canvases:
            self.assertGreater(canvas["drawn"], 3000, canvas["id"])
        self.assertIn("11,98,168", self.colors())  # The first series, on white.

    def test_later_series_are_drawn_over_earlier_ones(self):
        self.open("readable.html", "order")
        orders = self.browser.evaluate("""
            [...document.querySelectorAll("canvas")].map((canvas) => Chart.getChart(canvas))
              .filter((chart) => chart.config.type === "scatter")
              .map((chart) => chart.getSortedVisibleDatasetMetas().map((meta) => meta.index))
        """)
        self.assertTrue(orders)
        for order in orders:
            # The library draws from the last of this list to the first.
            self.assertEqual(order, sorted(order, reverse=True))

    def test_points_that_stand_out_are_larger(self):
        self.open("readable.html", "sizes")
        radii = self.browser.evaluate("""
            Chart.getChart([...document.querySelectorAll("canvas")].at(-1))
              .data.datasets.map((dataset) => dataset.pointRadius)
        """)
        self.assertEqual(radii, [5, 5, 5, 5, 5, 10])

    def test_darkness_changes_page_and_charts(self):
        self.open("readable.html", "dark", dark=True)
        background = self.browser.evaluate("getComputedStyle(document.body).backgroundColor")
        self.assertEqual(background, "rgb(20, 24, 29)")
        self.assertIn("95,179,240", self.colors())
        self.assertNotIn("11,98,168", self.colors())

    def test_charts_follow_when_the_reader_changes_to_darkness(self):
        self.open("readable.html", "changed")
        self.browser.set_dark(True)
        self.browser.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.assertIn("95,179,240", self.colors())

    def test_a_narrow_window_does_not_scroll_sideways(self):
        self.open("readable.html", "narrow", width=390, height=800)
        self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), 390)
        for canvas in self.browser.evaluate(CANVASES):
            self.assertLessEqual(canvas["width"], 390)

    def test_a_printed_page_is_light(self):
        self.open("readable.html", "before_print", dark=True)
        self.browser.evaluate("dispatchEvent(new Event('beforeprint'))")
        self.assertIn("11,98,168", self.colors())
        self.browser.evaluate("dispatchEvent(new Event('afterprint'))")
        self.assertIn("95,179,240", self.colors())
        self.browser.print_pdf(self.pictures / "print.pdf")
        self.assertGreater((self.pictures / "print.pdf").stat().st_size, 10_000)

    def test_harm_is_not_done(self):
        self.open("hostile.html", "hostile")
        self.assertIsNone(self.browser.evaluate("window.harmed"))
        self.assertEqual(self.browser.evaluate("document.images.length"), 0)
        for canvas in self.browser.evaluate(CANVASES):
            self.assertGreater(canvas["drawn"], 100, canvas["id"])

    def test_an_injected_script_would_not_run(self):
        self.open("readable.html", "injected")
        self.browser.evaluate("""
            document.body.append(Object.assign(document.createElement("script"), {textContent: "window.harmed = 1"}))
        """)
        self.assertIsNone(self.browser.evaluate("window.harmed"))

    def test_the_numbers_can_be_opened(self):
        self.open("readable.html", "open")
        self.browser.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('details table').length"), 3)
        self.browser.screenshot(self.pictures / "open.png")

    def test_every_svg_is_drawn_light_and_dark(self):
        for path in sorted(self.folder.glob("*.svg")):
            for dark in (False, True):
                self.open(path.name, f"{path.stem}_{'dark' if dark else 'light'}", dark=dark)
                paper = self.browser.evaluate("getComputedStyle(document.querySelector('.paper')).fill")
                self.assertEqual(paper, "rgb(20, 24, 29)" if dark else "rgb(255, 255, 255)")


if __name__ == "__main__":
    if not find_chromium():
        print("SKIPPED: there is no chromium here; Debian's package of that name has it")
        sys.exit(SKIPPED)
    unittest.main()

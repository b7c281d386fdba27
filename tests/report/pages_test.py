#!/usr/bin/env python3
"""The pages and charts of src/report as files: well-formed, without anything from outside."""

import html.parser
import re
import sys
import unittest
import xml.etree.ElementTree

from sample_pages import SamplePages

SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "img", "br", "link", "input"}


class Structure(html.parser.HTMLParser):
    """Elements that are open, all that were seen, and the first that was closed out of turn."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.seen = []
        self.ids = []
        self.out_of_turn = None

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.out_of_turn = self.out_of_turn or tag


class Pages(SamplePages):
    def test_every_svg_is_xml(self):
        charts = sorted(self.folder.glob("*.svg"))
        self.assertGreater(len(charts), 5)
        for path in charts:
            root = xml.etree.ElementTree.parse(path).getroot()
            self.assertEqual(root.tag, SVG + "svg", path.name)
            self.assertEqual({element.tag.removeprefix(SVG) for element in root.iter()} -
                             {"svg", "title", "desc", "style", "defs", "pattern", "rect", "path", "circle", "text"},
                             set(), path.name)
            self.assertTrue(root.find(SVG + "title") is not None and root.find(SVG + "desc") is not None)

    def test_an_svg_draws_inside_itself(self):
        for path in sorted(self.folder.glob("*.svg")):
            text = path.read_text(encoding="utf-8")
            self.assertNotRegex(text, r'"[^"]*\b(nan|inf)\b[^"]*"', path.name)
            root = xml.etree.ElementTree.fromstring(text)
            width, height = float(root.get("width")), float(root.get("height"))
            for element in root.iter(SVG + "text"):
                if element.get("x"):
                    self.assertTrue(0 <= float(element.get("x")) <= width, path.name)
                    self.assertTrue(0 <= float(element.get("y")) <= height, path.name)

    def test_html_is_well_nested(self):
        for name in ("readable", "hostile"):
            structure = Structure()
            structure.feed((self.folder / f"{name}.html").read_text(encoding="utf-8"))
            self.assertIsNone(structure.out_of_turn, name)
            self.assertEqual(structure.open, [], name)
            self.assertEqual(structure.seen.count("script"), 3, name)
            self.assertNotIn("img", structure.seen, name)
            self.assertEqual(len(structure.ids), len(set(structure.ids)), name)

    def test_nothing_comes_from_outside(self):
        """Addresses stand in comments only: the licence, and Chart.js's words about itself."""
        for path in sorted(self.folder.iterdir()):
            text = path.read_text(encoding="utf-8")
            text = re.sub(r"<!--.*?-->|/\*.*?\*/", "", text, flags=re.S)
            addresses = set(re.findall(r"https?://[^\"'\s)]+", text)) - {"http://www.w3.org/2000/svg"}
            self.assertEqual(addresses, set(), path.name)
            self.assertNotRegex(text, r"@import|url\((?!#)", path.name)


if __name__ == "__main__":
    sys.exit(unittest.main())

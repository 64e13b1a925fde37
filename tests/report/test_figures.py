"""Figures that students handed in."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from grader.report import figures as module
from grader.report.by_eye import by_eye, item_of
from grader.report.figures import draw_figures, replace_figures
from grader.report.redraw import (
    ENOUGH_BYTES,
    LARGE,
    MOST_FIGURES,
    MOST_IN_ALL,
    MOST_PIXELS,
    MOST_SCANS,
    SMALL,
    SMALL_BYTES,
)

from .images import keep_figures, opened, png, with_scans


def stems(folder) -> list[str]:
    """The names of the figures in a folder of results."""
    return sorted(path.name for path in (folder / "figures").iterdir() if path.is_file())


def test_a_figure_is_kept_twice_small_and_without_anything_but_its_pixels(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>" * 10)
    kept = keep_figures(tmp_path, {"figures/curves.png": png(3000, 1500, pnginfo=info) + b"tail of a zip"})
    assert kept.refused == ()
    for name, side, most in (
        ("figures/curves.png", LARGE, ENOUGH_BYTES),
        ("figures/small/curves.png", SMALL, SMALL_BYTES),
    ):
        content = (tmp_path / name).read_bytes()
        assert content == kept.files[name]
        assert b"script" not in content
        assert b"tail" not in content
        assert max(opened(content).size) == side
        assert len(content) <= most
    assert len(kept.files) == 2


def test_a_photograph_becomes_a_jpeg_and_a_plot_a_png(tmp_path):
    noise = Image.effect_noise((1000, 1000), 100)
    noise.save(tmp_path / "noise.png")
    kept = draw_figures({"noise.png": (tmp_path / "noise.png").read_bytes(), "plot.JPG": png(9, 9)})
    assert {name for name in kept.files if "small" not in name} == {"figures/noise.jpg", "figures/plot.png"}
    small = kept.files["figures/small/noise.webp"]
    assert len(small) <= SMALL_BYTES
    assert opened(small).width >= 200


def test_transparent_figures_get_white_paper(tmp_path):
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(tmp_path / "plot.png")
    kept = draw_figures({"plot.png": (tmp_path / "plot.png").read_bytes()})
    assert opened(kept.files["figures/plot.png"]).convert("RGBA").getextrema() == ((255, 255),) * 4


def test_names_stay_in_the_folder_and_apart(tmp_path):
    names = ("../../a.png", "b/A.png", "c\\a.png", "x" * 300 + ".png", "<img src=x>.png")
    kept = keep_figures(tmp_path, {name: png(4 + n, 4) for n, name in enumerate(names)})
    assert kept.refused == ()
    assert len({name.casefold() for name in stems(tmp_path)}) == len(names)
    assert os.listdir(tmp_path) == ["figures"]
    assert len(os.listdir(tmp_path / "figures" / "small")) == len(names)


def bomb(width: int, height: int) -> bytes:
    """A file of a few bytes that claims to be of so many pixels."""
    small = png(8, 8)
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + small[24:29]
    return small[:12] + header + zlib.crc32(header).to_bytes(4, "big") + small[33:]


REFUSED = {
    "a.svg": b"<svg onload='alert(1)'/>",
    "b.png": b"no image",
    "c.png": bomb(100_000, 100_000),
    "d.png": png(300, 300)[:600],
    "e.pdf": b"%PDF-1.7",
    "f.png": png(8, 8, kind="GIF"),
    "g.ipynb": b"[" * 100_000,
}


@pytest.mark.parametrize("sandbox", [True, False])
def test_what_is_no_small_image_is_refused_with_its_reason(tmp_path, sandbox):
    kept = keep_figures(tmp_path, REFUSED | {"h.png": png(8, 8)}, sandbox)
    assert stems(tmp_path) == ["h.png"]
    assert sorted(kept.refused) == [
        "figure a.svg: it is not shown: only .png and .jpg are",
        "figure b.png: it is not shown: it cannot be read as an image",
        "figure c.png: it is not shown: more than 25 megapixels",
        "figure d.png: it is not shown: it cannot be read as an image",
        "figure e.pdf: it is not shown: only .png and .jpg are",
        "figure f.png: it is not shown: it cannot be read as an image",
        "figure g.ipynb: it is not shown: it cannot be read as a notebook",
    ]


def test_a_drawing_of_which_there_is_a_picture_is_not_missed():
    kept = draw_figures({"figures/a.svg": b"<svg/>", "figures/a.pdf": b"", "figures/a.png": png(4, 4)})
    assert [name for name in kept.files if "small" not in name] == ["figures/a.png"]
    assert kept.refused == ()


def test_there_is_an_end_to_figures_and_what_is_asked_for_comes_first():
    many = {f"figures/0{index:02d}.png": png(4 + index, 4) for index in range(MOST_FIGURES + 2)}
    kept = draw_figures(many | {"figures/2.7_samples.png": png(9, 9)})
    assert len(kept.files) == 2 * MOST_FIGURES
    assert "figures/2.7_samples.png" in kept.files
    assert kept.beyond == (
        "figure figures/023.png: it is not shown: only 24 figures are kept, 2 more are not",
    )


def notebook(*cells: dict[str, object]) -> bytes:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4}).encode()


def cell(grade_id: object, *pictures: bytes, drawn: bytes | None = None) -> dict[str, object]:
    made: dict[str, object] = {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": grade_id}}}
    coded = [base64.b64encode(picture).decode() for picture in pictures]
    made["attachments"] = {f"{n}.png": {"image/png": text} for n, text in enumerate(coded)}
    if drawn is not None:
        lines = [base64.b64encode(drawn).decode()[:50], base64.b64encode(drawn).decode()[50:]]
        made["outputs"] = [{"data": {"image/png": lines, "text/html": "<script>"}}, {"text": "x"}]
    return made


def test_pictures_in_the_report_are_kept_with_the_item_they_belong_to():
    content = notebook(
        cell("q1-9-figure", png(5, 5), png(6, 6)),
        cell("../../etc", png(7, 7)),
        cell({}, drawn=png(8, 8)),
        {"cell_type": "code"},
    )
    kept = draw_figures({"report.ipynb": content, "figures/same.png": png(5, 5)})
    names = sorted(name for name in kept.files if "small" not in name)
    assert names == [
        *("figures/report-1.9.figure-2.png", "figures/report-1.9.figure.png"),
        *("figures/report-2.png", "figures/report.png"),
    ]
    assert kept.refused == ()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"cells": 3}',
        b'{"cells": [3]}',
        b'{"cells": [{"outputs": [3]}]}',
        notebook({"metadata": 3, "attachments": {"a": {}}}),
    ],
)
def test_a_notebook_that_is_none_is_refused(content):
    (line,) = draw_figures({"report.ipynb": content}).refused
    assert line == "figure report.ipynb: it is not shown: it cannot be read as a notebook"


def test_a_broken_picture_in_the_report_is_named_by_its_notebook():
    (line,) = draw_figures({"report.ipynb": notebook(cell("q1-9-figure", b"no image"))}).refused
    assert line == "figure report.ipynb: it is not shown: it cannot be read as an image"


def test_figures_of_an_earlier_run_go_and_none_make_no_folder(tmp_path):
    assert keep_figures(tmp_path, {}).files == {}
    assert os.listdir(tmp_path) == []
    keep_figures(tmp_path, {"a.png": png(4, 4), "b.png": png(5, 4)})
    keep_figures(tmp_path, {"b.png": png(4, 4)})
    assert stems(tmp_path) == ["b.png"]
    assert [path.stem for path in (tmp_path / "figures" / "small").iterdir()] == ["b"]
    replace_figures(tmp_path, {})
    assert os.listdir(tmp_path) == []


def test_nothing_is_written_or_removed_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").write_bytes(b"")
    (tmp_path / "figures").symlink_to(tmp_path / "elsewhere")
    for files in ({"figures/a.png": b""}, {}):
        with pytest.raises(NotADirectoryError):
            replace_figures(tmp_path, files)
    assert os.listdir(tmp_path / "elsewhere") == ["kept"]


def script(monkeypatch, text: str) -> None:
    """Let another program draw, one that a hostile picture has taken over."""
    monkeypatch.setattr(module, "_source", lambda: text)


HEAD = """
import json, os, sys
out = sys.stdout.buffer
def say(**told): out.write(json.dumps({"from": "a.png", **told}).encode() + b"\\n")
"""


@pytest.mark.parametrize(
    "told",
    [
        "out.write(b'\\xff' * 10**7)",
        "say(**{'from': 'b.png', 'end': True})",
        "say(**{'from': ['a.png'], 'end': True})",
        "say(cell='', large=['.png', 9], small=['.png', 9]); out.write(b'<script>!' * 2)",
        "say(cell='', large=['.html', 9], small=['.png', 9]); out.write(b'<script>!' * 2)",
        "say(cell='', large=['.png', 10**9], small=['.png', 9])",
        "say(cell='', large=['/../x.png', 9], small=['.png', -1])",
        "say(cell=3, large='x', small=None)",
        "os.kill(os.getpid(), 9)",
        "sys.exit(3)",
    ],
)
def test_a_process_that_was_taken_over_is_not_believed(monkeypatch, told):
    script(monkeypatch, HEAD + told)
    kept = draw_figures({"a.png": png(4, 4)})
    assert kept.files == {}
    assert kept.refused == ("figure a.png: it is not shown: it takes too much time or memory to draw",)


def test_a_process_without_an_end_is_ended(monkeypatch):
    monkeypatch.setattr(module, "FIGURES_SECONDS", 2.0)
    script(monkeypatch, "while True: pass")
    assert len(draw_figures({"a.png": png(4, 4)}, sandbox=False).refused) == 1


def test_what_never_stops_talking_is_cut_off(monkeypatch):
    monkeypatch.setattr(module, "MOST_LARGE", 1000)
    script(monkeypatch, HEAD + "while True: say(error='x')")
    assert draw_figures({"a.png": png(4, 4)}).files == {}


def test_the_process_that_draws_reaches_nothing(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("secret")
    tries = f"""
import socket
found = []
for path in ({str(tmp_path / "secret")!r}, {module.__file__!r}, "/etc/passwd"):
    try: found.append(open(path).read(1))
    except OSError: pass
try: socket.create_connection(("127.0.0.1", {{port}}), timeout=2); found.append("net")
except OSError: pass
try: open("/usr/x", "w"); found.append("write")
except OSError: pass
say(error=repr(found))
say(end=True)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        script(monkeypatch, HEAD + tries.replace("{port}", str(server.getsockname()[1])))
        figure = {"a.png": png(4, 4)}
        assert draw_figures(figure).refused == ("figure a.png: it is not shown: []",)
        assert "'net'" in draw_figures(figure, sandbox=False).refused[0], "what the box holds back"


def test_one_that_takes_too_much_memory_costs_itself(monkeypatch):
    redraw = module._source()
    monkeypatch.setattr(module, "_source", lambda: redraw.replace("MEMORY = 2**30", "MEMORY = 2**27"))
    kept = draw_figures({"a.png": png(5000, 5000, mode="RGBA"), "b.png": png(4, 4)})
    assert "figures/b.png" in kept.files
    assert kept.refused == ("figure a.png: it is not shown: it takes more memory than a figure may",)


def test_one_at_the_limit_of_pixels_is_drawn():
    kept = draw_figures({"a.png": png(5000, 5000, mode="RGBA")})
    assert kept.refused == ()
    assert max(opened(kept.files["figures/a.png"]).size) == LARGE


def test_all_figures_together_have_a_limit_of_pixels(monkeypatch):
    redraw = module._source()
    assert "MOST_IN_ALL = 160_000_000" in redraw
    monkeypatch.setattr(
        module, "_source", lambda: redraw.replace("MOST_IN_ALL = 160_000_000", "MOST_IN_ALL = 2_500_000")
    )
    figures = {f"figures/{name}.png": png(1000, 1000 + index) for index, name in enumerate("abcd")}
    kept = draw_figures(figures | {"figures/2.7_samples.png": png(1000, 999), "figures/e.png": png(9, 9)})
    assert sorted(name for name in kept.files if "small" not in name) == [
        *("figures/2.7_samples.png", "figures/a.png", "figures/e.png"),
    ]
    assert kept.beyond == (
        "figure figures/b.png: it is not shown: all figures together have more than 2 megapixels, "
        "2 more are not",
    )


def test_the_figures_of_the_assignment_have_room_at_twelve_megapixels():
    assert sum(len(one.figures) for one in by_eye()) * 4000 * 3000 <= MOST_IN_ALL
    assert MOST_PIXELS >= 4000 * 3000


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_large_figures_of_every_kind_are_drawn_in_their_own_colours(mode):
    grey = 255 if mode == "1" else 160
    file = io.BytesIO()
    Image.new("L", (4000, 3000), grey).convert(mode).save(file, "PNG")
    kept = draw_figures({"a.png": file.getvalue()})
    assert kept.refused == ()
    drawn = opened(kept.files["figures/a.png"])
    assert drawn.size == (LARGE, 1050)
    assert drawn.convert("L").getextrema() == (grey, grey)


def test_sixteen_bits_of_grey_are_not_clipped():
    file = io.BytesIO()
    Image.fromarray(np.full((30, 40), 160 * 257, dtype=np.uint16)).save(file, "PNG")
    drawn = opened(draw_figures({"a.png": file.getvalue()}).files["figures/a.png"])
    assert drawn.convert("L").getextrema() == (160, 160)


def test_a_photograph_of_a_telephone_is_drawn(tmp_path):
    photograph = png(4000, 3000, kind="JPEG", progressive=True, quality=90)
    thumbnail = png(160, 120, kind="JPEG")
    exif = b"\xff\xe1" + (len(thumbnail) + 8).to_bytes(2, "big") + b"Exif\0\0" + thumbnail
    film = b"\xff\xda\0\1" * 1000  # some telephones append one
    kept = draw_figures({"a.jpg": photograph[:2] + exif + photograph[2:] + film})
    assert kept.refused == ()


def test_a_picture_that_is_refined_without_end_is_refused():
    many = with_scans(png(400, 300, kind="JPEG", progressive=True), MOST_SCANS)
    assert draw_figures({"a.jpg": many}).refused == (
        f"figure a.jpg: it is not shown: it has more than {MOST_SCANS} scans, save it again",
    )


def test_items_know_their_figures():
    assert [one.item.id for one in by_eye()] == [
        *("1.7.curves", "1.8.grids", "1.9.figure", "2.4.figure", "2.5.figures", "2.6", "2.7"),
    ]
    assert all(item_of(figure.stem) == one.item.id for one in by_eye() for figure in one.figures)
    assert item_of("1.8_Samples_epoch_010") == "1.8.grids"
    assert item_of("1.8 my own") == "1.8.grids"
    assert item_of("report-2.6-3") == "2.6"
    assert item_of("1.85_x") == ""
    assert item_of("3.1 nerf") == ""
    assert item_of("plot") == ""

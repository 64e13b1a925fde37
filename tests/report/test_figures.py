"""Figures that students handed in."""

from __future__ import annotations

import os
import zlib

import pytest
from PIL import Image, PngImagePlugin

from grader.report.figures import ENOUGH_BYTES, MOST_FIGURES, MOST_SIDE, keep_figures

from .images import opened, png


def test_a_figure_is_kept_small_and_without_anything_but_its_pixels(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>" * 10)
    kept = keep_figures(tmp_path, {"figures/curves.png": png(3000, 1500, pnginfo=info) + b"tail of a zip"})
    assert kept.refused == ()
    (path,) = kept.paths
    assert path == tmp_path / "figures" / "curves.png"
    content = path.read_bytes()
    assert b"script" not in content
    assert b"tail" not in content
    assert max(opened(content).size) == MOST_SIDE
    assert len(content) <= ENOUGH_BYTES


def test_a_photograph_becomes_a_jpeg_and_a_plot_a_png(tmp_path):
    noise = Image.effect_noise((1000, 1000), 100)
    noise.save(tmp_path / "noise.png")
    kept = keep_figures(tmp_path, {"noise.png": (tmp_path / "noise.png").read_bytes(), "plot.JPG": png(9, 9)})
    assert sorted(path.name for path in kept.paths) == ["noise.jpg", "plot.png"]


def test_transparent_figures_get_white_paper(tmp_path):
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(tmp_path / "plot.png")
    (path,) = keep_figures(tmp_path, {"plot.png": (tmp_path / "plot.png").read_bytes()}).paths
    assert opened(path.read_bytes()).convert("RGBA").getextrema() == ((255, 255),) * 4


def test_names_stay_in_the_folder_and_apart(tmp_path):
    names = ("../../a.png", "b/a.png", "c\\a.png", "x" * 300 + ".png", "<img src=x>.png")
    kept = keep_figures(tmp_path, {name: png(4, 4) for name in names})
    assert len({path.name for path in kept.paths}) == len(names)
    assert {path.parent for path in kept.paths} == {tmp_path / "figures"}
    assert len(os.listdir(tmp_path / "figures")) == len(names)


def test_what_is_no_small_image_is_refused_with_its_reason(tmp_path):
    bomb = png(8, 8)
    # The same file, claiming to be of 100,000 x 100,000 pixels.
    header = b"IHDR" + (100_000).to_bytes(4, "big") * 2 + bomb[24:29]
    bomb = bomb[:12] + header + zlib.crc32(header).to_bytes(4, "big") + bomb[33:]
    kept = keep_figures(
        tmp_path,
        {
            "a.svg": b"<svg/>",
            "b.png": b"no image",
            "c.png": bomb,
            "d.png": png(300, 300)[:600],
            "e.png": b"x" * (21 * 2**20),
            "f.png": png(8, 8, kind="GIF"),
            "g.png": png(8, 8),
        },
    )
    assert [path.name for path in kept.paths] == ["g.png"]
    assert kept.refused == (
        "figure a.svg: it is not shown: only .png and .jpg are",
        "figure b.png: it is not shown: it cannot be read as an image",
        "figure c.png: it is not shown: more than 40 megapixels",
        "figure d.png: it is not shown: it cannot be read as an image",
        "figure e.png: it is not shown: larger than 20 MB",
        "figure f.png: it is not shown: it cannot be read as an image",
    )


def test_there_is_an_end_to_figures(tmp_path):
    kept = keep_figures(tmp_path, {f"{index:03d}.png": png(4, 4) for index in range(MOST_FIGURES + 2)})
    assert len(kept.paths) == MOST_FIGURES
    assert len(kept.refused) == 2


def test_figures_of_an_earlier_run_go_and_none_make_no_folder(tmp_path):
    assert keep_figures(tmp_path, {}).paths == ()
    assert os.listdir(tmp_path) == []
    keep_figures(tmp_path, {"a.png": png(4, 4), "b.png": png(4, 4)})
    keep_figures(tmp_path, {"b.png": png(4, 4)})
    assert os.listdir(tmp_path / "figures") == ["b.png"]


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "figures").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        keep_figures(tmp_path, {"a.png": png(4, 4)})
    assert os.listdir(tmp_path / "elsewhere") == []

"""metrics.csv as curves: thinned without losing what stands out, and put into panels."""

from gan_lightning.report.curves import Curves, panels, read_curves, thinned


def test_thinning_keeps_the_ends_and_what_stands_out() -> None:
    points = [(x, 1.0 + x / 1e6) for x in range(0, 100_000, 7)]
    points[5000] = (points[5000][0], 50.0)
    points[9000] = (points[9000][0], -50.0)
    kept = thinned(points)
    assert len(kept) <= 400
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert {points[5000], points[9000]} <= set(kept)
    assert kept == sorted(kept)
    assert thinned(points[:300]) == points[:300]


def test_a_cut_line_is_left_out_even_if_it_could_be_read() -> None:
    curves = read_curves("images_seen,loss/D\n1,2.5\n2,1.2")  # of 1.25
    assert curves.series == {"loss/D": [(1, 2.5)]}
    assert len(curves.remarks) == 1


def test_each_curve_is_in_one_panel_with_its_floor() -> None:
    names = ["loss/D", "loss/G", "D(real)", "score/fid", "score/modes", "own/thing", "elbo", "kl"]
    drawn = panels(Curves({name: [(1, 2.0)] for name in names}), {"score/fid": 0.5})
    found = [series["name"] for panel in drawn for series in panel["series"]]
    assert sorted(found) == sorted(names)
    (losses,) = [panel for panel in drawn if panel["title"] == "Losses"]
    assert [series["name"] for series in losses["series"]] == ["loss/D", "loss/G"]
    floors = {s["name"]: s["floor"] for panel in drawn for s in panel["series"] if s["floor"]}
    assert floors == {"score/fid": 0.5}


def test_a_file_of_very_many_columns_makes_few_panels() -> None:
    curves = Curves({f"x{i}": [(1, 2.0)] for i in range(500)})
    assert len(panels(curves, {})) == 40
    assert curves.remarks

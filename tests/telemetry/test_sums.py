"""Adding up the counters of workers and of earlier layouts."""

from hypothesis import given
from hypothesis import strategies as st

from georouter.answers.layout import FAMILIES, PROTOS, RCODES, REASONS, TYPES, Layout, lay_out
from georouter.telemetry.sums import Summer, moves

REQUESTS = PROTOS * FAMILIES * TYPES


def test_no_counters() -> None:
    """Before the first publication there is nothing to sum."""
    assert Summer().total(()) is None


def test_workers_are_added() -> None:
    """Two workers with one layout: their counters add up place by place."""
    layout = lay_out(["example.com"], [("web", ["a", "b"])])
    one, two = list(range(layout.size)), [10] * layout.size
    summed = Summer().total([(layout, one), (layout, two)])
    assert summed is not None
    assert summed[1].tolist() == [index + 10 for index in range(layout.size)]


def test_longer_arrays_are_cut() -> None:
    """A worker may own more ints than the layout has; what is behind it means nothing."""
    layout = lay_out([], [])
    summed = Summer().total([(layout, [1] * (layout.size + 5))])
    assert summed is not None
    assert summed[1].tolist() == [1] * layout.size


def test_counts_survive_a_reload() -> None:
    """Zones, services and regions keep what was counted, wherever the new layout puts them."""
    old = lay_out(["gone.test", "example.com"], [("web", ["a", "b"]), ("gone", ["a"]), ("same", ["a"])])
    new = lay_out(["example.com", "new.test"], [("same", ["a"]), ("web", ["b", "c"])])
    counted = [0] * old.size
    counted[0] = 1  # gone.test
    counted[REQUESTS] = 2  # example.com
    counted[2 * REQUESTS] = 3  # no zone
    counted[old.responses_base + RCODES] = 4  # example.com NOERROR
    web, gone, same = old.services
    counted[web.base] = 5  # region a, which left the service
    counted[web.base + REASONS] = 6  # region b
    counted[web.base + 2 * REASONS + 5] = 7  # refused
    counted[gone.base] = 8
    counted[same.base + 1] = 9
    fresh = [0] * new.size
    fresh[0] = 100
    summed = Summer().total([(old, counted), (new, fresh)])
    assert summed is not None
    layout, total = summed
    assert layout is new
    new_same, new_web = new.services
    expected = [0] * new.size
    expected[0] = 102
    expected[2 * REQUESTS] = 3
    expected[new.responses_base] = 4
    expected[new_same.base + 1] = 9
    expected[new_web.base] = 6
    expected[new_web.base + 2 * REASONS + 5] = 7
    assert total.tolist() == expected


NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4)
LAYOUTS = st.builds(
    lambda zones, services: lay_out(zones, sorted(services.items())),
    NAMES,
    st.dictionaries(st.sampled_from("wxyz"), NAMES, max_size=4),
)


@given(LAYOUTS, LAYOUTS)
def test_moves_stay_inside_and_never_overlap(old: Layout, new: Layout) -> None:
    """Whatever the layouts: a counter is read once, written once, and never outside."""
    read: list[int] = []
    written: list[int] = []
    for source, target, length in moves(old, new):
        read += range(source, source + length)
        written += range(target, target + length)
    assert len(set(read)) == len(read)
    assert len(set(written)) == len(written)
    assert all(0 <= place < old.size for place in read)
    assert all(0 <= place < new.size for place in written)


@given(LAYOUTS)
def test_equal_layouts_move_everything(layout: Layout) -> None:
    """A reload that changes no name keeps every count."""
    assert (
        sum(
            length
            for _, _, length in moves(
                layout, lay_out(layout.zones, [(s.name, s.regions) for s in layout.services])
            )
        )
        == layout.size
    )


def test_queries_for_tenants_stay_with_their_service() -> None:
    """Through reloads that add and take away services with tenants."""
    old = lay_out(["example.com"], [("a", ["x"]), ("b", ["x"]), ("c", ["x"])], pinned=["b", "c"])
    new = lay_out(["example.com"], [("c", ["x"]), ("a", ["x"])], pinned=["a", "c"])
    counters = [0] * old.size
    counters[old.tenants_of("b")], counters[old.tenants_of("c") + 1] = 5, 7
    summed = Summer().total([(old, counters), (new, [0] * new.size)])
    assert summed is not None
    _, total = summed
    assert total[new.tenants_of("c") : new.tenants_of("c") + 2].tolist() == [0, 7]
    assert total.sum() == 7

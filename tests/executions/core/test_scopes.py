from __future__ import annotations

import pytest

from executions.core.scopes import TOP, around, container_of, inside, is_within, outermost, path, where


@pytest.mark.parametrize(
    ("outer", "container", "index", "scope"),
    [
        (TOP, "loop", 0, "loop[0]"),
        ("loop[3]", "par", 12, "loop[3]/par[12]"),
        ("a[0]/b[1]", "c-d_2", 10_000, "a[0]/b[1]/c-d_2[10000]"),
    ],
)
def test_scope_is_a_path_that_is_read_back(outer: str, container: str, index: int, scope: str) -> None:
    assert inside(outer, container, index) == scope
    assert around(scope) == (outer, container, index)
    assert container_of(scope) == container


def test_nothing_is_around_the_top_level() -> None:
    assert container_of(TOP) == ""
    with pytest.raises(ValueError, match="nothing is around the top level"):
        around(TOP)


@pytest.mark.parametrize(
    ("scope", "container", "found"),
    [
        ("loop[3]", "loop", (TOP, 3)),
        ("a[1]/b[2]/c[3]", "c", ("a[1]/b[2]", 3)),
        ("a[1]/b[2]/c[3]", "b", ("a[1]", 2)),
        ("a[1]/b[2]/c[3]", "a", (TOP, 1)),
    ],
)
def test_container_around_a_scope_is_found_at_any_depth(scope: str, container: str, found: tuple[str, int]) -> None:
    assert where(scope, container) == found


@pytest.mark.parametrize("scope", [TOP, "loop[3]", "loops[3]/a[0]"])
def test_container_that_is_not_around_a_scope_is_refused(scope: str) -> None:
    with pytest.raises(ValueError, match="nothing is around"):
        where(scope, "loo")


@pytest.mark.parametrize(
    ("scope", "outer", "is_so"),
    [
        ("loop[1]", TOP, True),
        ("loop[1]", "loop[1]", True),
        ("loop[1]/par[0]", "loop[1]", True),
        ("loop[10]", "loop[1]", False),  # an index is not a prefix
        ("loop[1]", "loop[1]/par[0]", False),
        (TOP, "loop[1]", False),
    ],
)
def test_scope_is_within_itself_and_what_is_around_it(scope: str, outer: str, is_so: bool) -> None:
    assert is_within(scope, outer) is is_so


def test_visit_is_named_by_its_scope_and_node() -> None:
    assert (path(TOP, "a"), path("loop[1]", "a")) == ("a", "loop[1]/a")


@pytest.mark.parametrize(("scope", "found"), [(TOP, "x"), ("loop[3]", "loop"), ("a-b[1]/b[2]/c[3]", "a-b")])
def test_visit_is_of_one_top_level_node(scope: str, found: str) -> None:
    assert outermost(scope, "x") == found

from hypothesis import given, settings
from hypothesis import strategies as st

from dnahlm.tasks.shares import rows_by_share


@settings(deadline=None)  # a busy machine is not a failure
@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(1e-300, 1e300)), min_size=1, max_size=5),
    st.floats(0.001),
    st.integers(0, 3000),
)
def test_a_mixture_gives_the_rows_it_is_asked_for_and_never_more_than_a_task_has(tasks, temperature, total):
    available = {str(i): n for i, (n, _) in enumerate(tasks)}
    weights = {str(i): weight for i, (_, weight) in enumerate(tasks)}
    total = total and max(total, len(tasks))
    rows = rows_by_share(available, total, weights, temperature)
    assert all(1 <= n <= available[name] for name, n in rows.items())
    if total:
        assert sum(rows.values()) == min(total, sum(available.values()))


def test_three_tasks_alike_give_100_rows_not_99():
    assert sorted(rows_by_share({"a": 900, "b": 900, "c": 900}, 100).values()) == [33, 33, 34]


def test_a_low_temperature_leaves_a_row_of_each_smaller_task():
    assert rows_by_share({"a": 50_000, "b": 40_000}, 0, temperature=0.001) == {"a": 50_000, "b": 1}

"""What lives as long as a run is made when it is first asked for, once."""

from pytest_wsstability.plugin.registered import registered


class Reporter:
    """Has a hook."""

    def pytest_report_header(self):
        return "here"


def test_it_is_made_once_and_gets_the_hooks_that_it_has(pytester):
    config = pytester.parseconfig()

    first = registered(config, "reporter", Reporter)

    assert registered(config, "reporter", Reporter) is first
    assert [hook.name for hook in config.pluginmanager.get_hookcallers(first)] == ["pytest_report_header"]


def test_another_name_and_another_run_have_one_of_their_own(pytester):
    config, other = pytester.parseconfig(), pytester.parseconfig()

    first = registered(config, "reporter", Reporter)

    assert registered(config, "reporter too", Reporter) is not first
    assert registered(other, "reporter", Reporter) is not first

"""The suite that every adapter and every integrator's system passes before the hub speaks to it.

In a test file of your own::

    import pytest
    from adapters.conformance.suite import *  # the tests
    from adapters.conformance.stand_in import Received, Weather

    @pytest.fixture
    def stand_in():  # see adapters.conformance.stand_in.StandIn
        ...

A stand-in is a real server that behaves as your system does; for pytest's detailed messages add
``pytest.register_assert_rewrite("adapters.conformance.suite")`` to your conftest.
"""

"""How property tests run: the same examples every time, so that a run says something about the change and not about its luck.

``make explore`` draws new ones, more of them, and prints how to draw a failing one again.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A busy machine is no defect: no limit of time per example, and no complaint about slow drawing.
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.register_profile(
    "explore", max_examples=1_000, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile(os.environ.get("LGSP_TEST_PROFILE", "steady"))

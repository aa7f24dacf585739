"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# A busy machine is no reason to fail: the suite asserts what is done, not how fast.
settings.register_profile("callpath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callpath")

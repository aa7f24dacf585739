"""Runs of every outcome, for tests of summaries."""

from results.handover.entry import Entry
from results.schema import Result, Verdict
from tests.results.judged import a_result, frame


def a_run(verdict: Verdict, reason: str = "because", scenario: str = "intranet") -> Entry:
    """A run with its verdict."""
    result: Result = a_result().model_copy(
        update={
            "scenario": scenario,
            "verdict": verdict,
            "reason": reason,
            "citations": (frame(61, "media, Flow 3: eve opens the way to relay"),),
            "seconds": a_result().seconds.model_copy(update={"total": 7.25}),
        }
    )
    return Entry(scenario, f"runs/{scenario}", result)


PASSED = a_run(Verdict.PASS)
FAILED = a_run(
    Verdict.FAIL, "Flow 3 appeared; expected media Flow 2 was not seen", "external_direct"
)
UNDECIDED = a_run(Verdict.INCONCLUSIVE, "not whole", "nomadic_direct")
NOT_DONE = Entry("vpn_to_vpn", "runs/vpn", None, "office: the firewall did not start")
ALL = [PASSED, FAILED, UNDECIDED, NOT_DONE]

#: What would break out of a table, a code span, HTML, XML or a terminal.
HOSTILE = "a|b `c` <script>x</script> &amp;**d** [e](f)\n# g\x1b[31m\x00\x7f \ud800 ]]>"

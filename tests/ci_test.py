#!/usr/bin/env python3
"""What .ci/run makes of a step's end: passed, failed, or not done, by steps that end in each way."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLENTY_SECONDS = 600


class Steps(unittest.TestCase):
    def run_steps(self, *steps, budget_seconds=PLENTY_SECONDS):
        """The exit status and the lines that sum the run up, of .ci/run with other steps beside it; None: no steps."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-ci-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
        if steps != (None,):
            (folder / ".ci/steps").write_text("".join(step + "\n" for step in steps))
        result = subprocess.run([folder / ".ci/run"], env={"PATH": "/usr/bin:/bin", "CI_SECONDS": str(budget_seconds)},
                                capture_output=True, text=True, timeout=120, check=False)
        self.output = result.stdout + result.stderr
        summary = [line.removeprefix("=== ") for line in self.output.split("\n")
                   if line.startswith(("=== NOT DONE", "=== FAILED"))]
        return result.returncode, summary

    def assert_failed(self, ending, *steps, **options):
        status, summary = self.run_steps(*steps, **options)
        self.assertEqual(status, 1, self.output)
        self.assertEqual(len(summary), 1, self.output)
        self.assertRegex(summary[0], f"^FAILED   {ending}")

    def assert_not_done(self, ending, *steps, **options):
        status, summary = self.run_steps(*steps, **options)
        self.assertEqual(status, 0, self.output)
        self.assertEqual(len(summary), 1, self.output)
        self.assertRegex(summary[0], f"^NOT DONE {ending}")

    def test_what_passes_is_neither_failed_nor_left_out(self):
        status, summary = self.run_steps("step tests 0 60 true", "step asan 1 60 true")
        self.assertEqual((status, summary), (0, []), self.output)
        self.assertIn("=== asan passed in ", self.output)

    def test_an_exit_status_is_a_failure_and_the_other_steps_run(self):
        self.assert_failed("tests: exit status 3", "step tests 0 60 bash -c 'exit 3'", "step asan 1 60 true")
        self.assertIn("=== asan passed in ", self.output)

    def test_a_step_that_exceeds_its_own_limit_has_failed(self):
        self.assert_failed("fuzzers: not done within its 1 s", "step fuzzers 1 1 sleep 30")

    def test_so_has_one_that_does_not_end_when_it_is_told_to(self):
        # 137: the signal ends the sleeping process alone, and the shell, which goes on, has to be killed.
        self.assert_failed("fuzzers: not done within its 1 s", "kill_after_seconds=1",
                           "step fuzzers 1 1 bash -c 'trap : TERM; while true; do sleep 1; done'")

    def test_statuses_of_a_timeout_that_is_not_ours_are_failures(self):
        for status in (124, 137):
            self.assert_failed(f"asan: exit status {status} after", f"step asan 1 60 bash -c 'exit {status}'")

    def test_a_kill_by_somebody_else_is_a_failure_even_where_the_budget_is_the_limit(self):
        self.assert_failed("asan: exit status 137 after", "step asan 1 1200 bash -c 'kill -KILL $$'",
                           budget_seconds=60)

    def test_a_step_for_which_no_time_is_left_is_named(self):
        self.assert_not_done("tsan: not begun: [0-9]+ s of the budget are left, it needs 420 s",
                             "step tests 0 60 true", "step tsan 420 1200 false", budget_seconds=60)

    def test_a_step_that_the_budget_cuts_off_is_named(self):
        self.assert_not_done("tsan: cut off by the budget after [1-9] s", "step tests 0 60 true",
                             "step tsan 1 1200 sleep 30", budget_seconds=2)

    def test_a_step_that_must_be_done_has_failed_when_the_budget_ends(self):
        self.assert_failed("tests: cut off by the budget", "step asan 0 60 true", "step tests 0 2400 sleep 30",
                           budget_seconds=2)
        status, summary = self.run_steps("step tests 0 2400 true", budget_seconds=0)
        self.assertEqual(status, 1)
        self.assertRegex(summary[0], "^FAILED   tests: not begun")

    def test_a_run_in_which_nothing_passes_has_failed(self):
        for steps in ((), ("",), ("step tsan 420 1200 true",)):
            status, summary = self.run_steps(*steps, budget_seconds=60)
            self.assertEqual(status, 1, self.output)
            self.assertIn("FAILED   .ci/steps: no step has passed", summary)

    def test_steps_that_are_missing_or_end_early_are_a_failure(self):
        passes = "step tests 0 60 true"
        for steps in ((None,), (passes, "if"), (passes, "exit 0", "step asan 1 60 true"),
                      (passes, "return 0", "step asan 1 60 true")):
            status, summary = self.run_steps(*steps)
            self.assertEqual(status, 1, self.output)
            self.assertIn("FAILED   .ci/steps: it was not read to its end", summary)

    def test_a_word_that_is_no_command_is_a_failure(self):
        self.assert_failed(".ci/steps: line 2 failed", "step tests 0 60 true", "stpe asan 1 60 false")

    def test_a_step_in_a_pipe_or_a_subshell_counts(self):
        for wrapped in ("step asan 1 60 false | cat", "(step asan 1 60 false)", "failed=(); step asan 1 60 false"):
            self.assert_failed("asan: exit status 1", "step tests 0 60 true", wrapped)

    def test_a_budget_that_is_no_number_is_a_failure(self):
        for budget in ("1e9", "08", "-1", "all", "99999999999999999999"):
            self.assert_failed("CI_SECONDS is", "step tests 0 60 true", budget_seconds=budget)

    def test_the_tests_of_the_project_must_be_done(self):
        steps = [line.split() for line in (ROOT / ".ci/steps").read_text().split("\n") if line.startswith("step ")]
        self.assertEqual(steps[0][1:3] + steps[0][4:], ["tests", "0", "make", "test"])
        self.assertEqual([step[1] for step in steps[1:]], ["asan", "fuzzers", "tsan"])


if __name__ == "__main__":
    unittest.main()

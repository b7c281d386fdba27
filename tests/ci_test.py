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
        """The exit status and the lines that sum the run up, of .ci/run with other steps beside it."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="tandem-ci-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
        (folder / ".ci/steps").write_text("".join(step + "\n" for step in steps))
        result = subprocess.run([folder / ".ci/run"], env={"PATH": "/usr/bin:/bin", "CI_SECONDS": str(budget_seconds)},
                                capture_output=True, text=True, timeout=120, check=False)
        self.output = result.stdout + result.stderr
        self.assertIn("=== done in ", self.output)
        summary = [line.removeprefix("=== ") for line in result.stdout.split("\n")
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
        self.assert_not_done("tsan: cut off by the budget after [12] s", "step tsan 1 1200 sleep 30", budget_seconds=1)

    def test_a_step_that_must_be_done_has_failed_when_the_budget_ends(self):
        self.assert_failed("tests: cut off by the budget", "step tests 0 2400 sleep 30", budget_seconds=1)
        self.assert_failed("tests: not begun", "step tests 0 2400 true", budget_seconds=0)

    def test_the_tests_of_the_project_must_be_done(self):
        steps = [line.split() for line in (ROOT / ".ci/steps").read_text().split("\n") if line.startswith("step ")]
        self.assertEqual(steps[0][1:3] + steps[0][4:], ["tests", "0", "make", "test"])
        self.assertEqual([step[1] for step in steps[1:]], ["asan", "fuzzers", "tsan"])


if __name__ == "__main__":
    unittest.main()

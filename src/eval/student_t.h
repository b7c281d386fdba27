// Student's t distribution.
#pragma once

namespace tandem {

/// How likely a t at least as far from 0 as this is, `degrees_of_freedom` > 0. Thread-safe.
double student_t_two_sided_p(double t, double degrees_of_freedom);

}  // namespace tandem

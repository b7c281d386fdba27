// Runs another program, without a shell.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tandem/result.h"

namespace tandem {

/// Runs a program, looked up in PATH, with nothing on its standard input and its output and errors in `log`, which is
/// replaced. `on_wait` is called a few times a second meanwhile. Returns its exit status; 128 + N when signal N ended
/// it. Errors: kNotFound when there is no such program.
Result<int> run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                        const std::function<void()>& on_wait = {});

}  // namespace tandem

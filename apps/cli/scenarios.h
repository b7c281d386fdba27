// What people search for, which encoders suit it as a rule, and the command that measures whether the rule holds.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tandem::cli {

struct Scenario {
  std::string_view scenario;
  std::string_view recommended;  ///< "bi-encoder", "cross-encoder", "hybrid": both, one after the other.
  std::string_view reason;
  std::string_view command;  ///< Runs on the sample data; put your own files in their place.
};

/// The fourteen scenarios of docs/advise.md.
std::span<const Scenario> scenarios();

/// For the terminal: of each the recommendation, the reason and the command.
std::string scenarios_text();
/// {"scenarios": [{"scenario", "recommended", "reason", "command"}]}
std::string scenarios_json();

}  // namespace tandem::cli

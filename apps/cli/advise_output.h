// What tandem advise says: as text, as JSON, and as a page with charts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/page.h"
#include "tandem/advisor.h"
#include "tandem/compute.h"
#include "tandem/sweep.h"

namespace tandem::cli {

/// Everything that an advice rests on.
struct AdviceReport {
  std::vector<std::string> files;  ///< Of the corpus.
  std::string test;                ///< "judged", "clicks" or "self-made".
  std::vector<std::string> trust;  ///< How the test was made, and how far it can be trusted.
  std::vector<std::string> remarks;
  std::vector<std::string> models;  ///< [first stages] the bi-encoder's, or the run's file.
  std::string cross_model;          ///< Empty: none.
  std::optional<ComputeInfo> compute;
  Goal goal;
  bool has_price = false;  ///< Else costs are hours of this machine.
  std::size_t results = 10;
  double confidence = 0.95;
  std::uint32_t seed = 0;
  double seconds = 0;  ///< What measuring took.
  SweepResult sweep;
  Advice advice;
  /// That run the recommended setting, where there is one; a line that is none begins with "#".
  std::vector<std::string> commands;
};

std::string to_text(const AdviceReport& report);
std::string to_json(const AdviceReport& report);

report::Page to_page(const AdviceReport& report);

}  // namespace tandem::cli

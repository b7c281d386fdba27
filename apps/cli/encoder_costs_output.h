// What `tandem bench compare` has found, as text, JSON and a page with charts.
#pragma once

#include <optional>
#include <string>

#include "machine.h"
#include "report/page.h"
#include "tandem/compute.h"
#include "tandem/encoder_costs.h"

namespace tandem::cli {

/// What was compared, where, and how.
struct CompareSetting {
  std::string model;  ///< As the model calls itself: no paths in what others will read.
  std::string cross_model;
  ComputeInfo compute;        ///< The bi-encoder's.
  ComputeInfo cross_compute;  ///< The cross-encoder's.
  Machine machine;
  EncoderCostOptions options;
  std::optional<double> price_per_hour;  ///< Of the machine, in any currency; without it there are no costs.
};

/// Tables for the terminal.
std::string to_text(const EncoderCosts& costs, const CompareSetting& setting);
/// One object, and a line feed.
std::string to_json(const EncoderCosts& costs, const CompareSetting& setting);
report::Page to_page(const EncoderCosts& costs, const CompareSetting& setting);

}  // namespace tandem::cli

// tandem eval --pipelines: many settings of the two stages, measured on the queries of a collection.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "collection_search.h"
#include "names.h"
#include "options.h"
#include "tandem/evaluation.h"
#include "tandem/result.h"
#include "tandem/significance.h"
#include "tandem/sweep.h"

namespace tandem::cli {

struct PipelineFlags {
  bool enabled = false;
  std::vector<std::size_t> depths = SweepOptions{}.depths;
  std::vector<float> alphas = SweepOptions{}.alphas;
  std::vector<std::string> first_stages{kBiStage};  ///< That is the collection's bi-encoder; or the file of a run.
  std::optional<bool> cross_only;                   ///< Default: where a budget bounds it.
  std::optional<double> budget_s;
  std::size_t sample = 0;
  std::size_t results = SweepOptions{}.results;
  std::string cache;
};

/// Whether the COLLECTION's own bi-encoder is a first stage.
bool uses_bi_encoder(const PipelineFlags& flags);

/// --pipelines and the options that need it. --pairs, which excludes it, is there already.
void add_pipeline_options(CLI::App& command, PipelineFlags& flags);

/// What is measured, and how it is shown.
struct PipelineRequest {
  std::string collection;
  std::string queries_file;
  TextOptions queries_text;
  std::string qrels;
  StageFlags stages;  ///< SearchMode::kBi: without the cross-encoder.
  PipelineFlags pipelines;
  std::vector<RankingMetric> metrics;
  std::int32_t relevance_level = 1;
  BootstrapOptions bootstrap;  ///< Its seed also draws queries.
  bool per_query = false;
  bool json = false;
};

Status evaluate_pipelines(const PipelineRequest& request);

}  // namespace tandem::cli

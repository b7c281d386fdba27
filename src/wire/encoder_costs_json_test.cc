// The exact JSON of what encoders cost.
#include "wire/encoder_costs_json.h"

#include <gtest/gtest.h>

#include <vector>

namespace tandem {
namespace {

TEST(EncoderCostsJson, DurationsAreMilliseconds) {
  JsonWriter json;
  const std::vector<double> seconds = {0.25, 0.5, 1};
  EXPECT_EQ(write_durations(json, seconds).take(),
            R"({"runs":3,"min_ms":250,"p50_ms":500,"p95_ms":950,"p99_ms":990,"max_ms":1000})");
}

TEST(EncoderCostsJson, WhatWasMeasuredHasItsDurationsAndWhatWasNotHasAMeanAlone) {
  EncoderCosts costs{.sizes = {{.documents = 4,
                                .copies = false,
                                .encode_s = 2,
                                .encode_effort = {.wall_s = 2, .cpu_s = 3},
                                .write_s = 0.5,
                                .index_bytes = 4096,
                                .memory_peak_bytes = 8192,
                                .bi = {.seconds = {0.5}, .effort = {.wall_s = 1, .cpu_s = 1}},
                                .cross = {.estimate_s = 4},
                                .two_stage = {.estimate_s = 2},
                                .bi_stages = {.encode_s = 0.25, .scan_s = 0.125}}},
                     .beyond = {{.documents = 10, .bi_s = 1, .cross_s = 36, .two_stage_s = 2}},
                     .documents = 4,
                     .queries = 1};
  JsonWriter json;
  EXPECT_EQ(
      write_members(json.begin_object(), costs, {.bi_threads = 2}).end_object().take(),
      R"({"documents":4,"queries":1,"sizes":[{"documents":4,"copies":false,"encoding":{"measured":true,"seconds":2,)"
      R"("per_document_ms":500,"cpu_share":0.75},"index":{"size_bytes":4096,"write_seconds":0.5},)"
      R"("memory_peak_bytes":8192,"bi_encoder":{"measured":true,"mean_ms":500,"queries_per_second":2,)"
      R"("times_the_bi_encoder":1,"cpu_share":0.5,"total":{"runs":1,"min_ms":500,"p50_ms":500,"p95_ms":500,)"
      R"("p99_ms":500,"max_ms":500},"stage_means":{"encode_ms":250,"scan_ms":125,"rerank_ms":0}},)"
      R"("cross_encoder":{"measured":false,"mean_ms":4000,"queries_per_second":0.25,"times_the_bi_encoder":8},)"
      R"("two_stage":{"measured":false,"mean_ms":2000,"queries_per_second":0.5,"times_the_bi_encoder":4}}],)"
      R"("extrapolated":[{"documents":10,"bi_encoder":{"mean_ms":1000},"cross_encoder":{"mean_ms":36000},)"
      R"("two_stage":{"mean_ms":2000}}]})");
}

TEST(EncoderCostsJson, CostsOfAThousandQueriesAreThereWhereAnHourHasAPrice) {
  const EncoderCosts costs{
      .sizes = {}, .beyond = {{.documents = 10, .bi_s = 1, .cross_s = 36, .two_stage_s = 3.6}}, .documents = 4};
  JsonWriter json;
  EXPECT_EQ(write_members(json.begin_object(), costs, {.price_per_hour = 0.5}).end_object().take(),
            R"({"documents":4,"queries":0,"sizes":[],"extrapolated":[{"documents":10,)"
            R"("bi_encoder":{"mean_ms":1000,"cost_per_1000_queries":0.1388888888888889},)"
            R"("cross_encoder":{"mean_ms":36000,"cost_per_1000_queries":5},)"
            R"("two_stage":{"mean_ms":3600,"cost_per_1000_queries":0.5}}]})");
}

}  // namespace
}  // namespace tandem

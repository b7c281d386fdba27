#include "model/weights.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/error.h"
#include "base/testing/temporary_folder.h"
#include "formats/safetensors_writer.h"

namespace tandem {
namespace {

constexpr std::array<std::uint64_t, 2> kShape{3, 5'000};
constexpr std::size_t kValues = 15'000;

Result<std::vector<float>> read(const TemporaryFolder& folder, std::size_t position, float value) {
  const std::filesystem::path path = folder.path() / "model.safetensors";
  std::filesystem::remove(path);
  const ComputedTensor tensor{"w", {kShape[0], kShape[1]}, [&](std::span<float> values) {
                                std::ranges::fill(values, 0.5F);
                                values[position] = value;
                              }};
  RETURN_IF_ERROR(write_safetensors(path, {&tensor, 1}));
  ASSIGN_OR_RETURN(const TensorSource source, TensorSource::open_file(path));
  return read_tensor(source, "w", kShape);
}

TEST(Weights, WhatIsNotFiniteIsNamedWithItsPlace) {
  const TemporaryFolder folder;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::size_t position : {std::size_t{0}, std::size_t{4095}, std::size_t{4096}, kValues - 1}) {
      const auto weights = read(folder, position, value);
      ASSERT_FALSE(weights) << value << " " << position;
      EXPECT_EQ(weights.error().code, ErrorCode::kCorruptData);
      EXPECT_EQ(weights.error().message,
                fmt::format("{}/model.safetensors: w has {} at position {}, want finite numbers",
                            folder.path().string(), value, position));
    }
  }
}

TEST(Weights, EveryFiniteNumberIsRead) {
  const TemporaryFolder folder;
  using Limits = std::numeric_limits<float>;
  for (const float value : {Limits::max(), Limits::lowest(), Limits::denorm_min(), -0.0F}) {
    const auto weights = read(folder, kValues - 1, value);
    ASSERT_TRUE(weights) << weights.error().message;
    EXPECT_EQ(weights->size(), kValues);
    EXPECT_EQ(weights->back(), value);
    EXPECT_EQ(weights->front(), 0.5F);
  }
}

}  // namespace
}  // namespace tandem

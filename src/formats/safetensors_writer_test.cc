#include "formats/safetensors_writer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/testing/temporary_folder.h"
#include "formats/tensor_source.h"

namespace tandem {
namespace {

TEST(SafetensorsWriter, WritesWhatTheReaderReads) {
  TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "model.safetensors";
  const auto count_from = [](float first) {
    return [first](std::span<float> values) { std::iota(values.begin(), values.end(), first); };
  };
  const std::vector<ComputedTensor> tensors{
      {"z", {2, 3}, count_from(1)}, {"a \"quoted\" näme", {}, count_from(7)}, {"empty", {0, 4}, count_from(0)}};
  ASSERT_TRUE(write_safetensors(path, tensors));

  const Result<TensorSource> source = TensorSource::open_file(path);
  ASSERT_TRUE(source) << source.error().message;
  ASSERT_EQ(source->tensors().size(), tensors.size());
  for (const ComputedTensor& tensor : tensors) {
    const TensorView* const view = source->find(tensor.name);
    ASSERT_NE(view, nullptr) << tensor.name;
    EXPECT_EQ(view->dtype, DType::kF32);
    EXPECT_EQ(view->shape, tensor.shape);
    std::vector<float> expected(view->elements());
    std::vector<float> actual(view->elements());
    tensor.fill(expected);
    copy_as_f32(*view, 0, actual);
    EXPECT_EQ(actual, expected);
  }
}

TEST(SafetensorsWriter, ReportsAFolderThatIsMissing) {
  const Status status = write_safetensors("/nonexistent/model.safetensors", {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace tandem

#include "model/weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/finite.h"

namespace tandem {
namespace {

/// What errors call a source: of several shards the first stands for all.
std::string name_of(const TensorSource& source) {
  return source.files().empty() ? "the weights" : source.files().front().string();
}

}  // namespace

Result<const TensorView*> find_tensor(const TensorSource& source, std::string_view name,
                                      std::span<const std::uint64_t> shape) {
  const std::string file = name_of(source);
  const TensorView* tensor = source.find(name);
  if (tensor == nullptr) return fail(ErrorCode::kNotFound, "{}: {} is missing", file, name);
  if (!std::ranges::equal(tensor->shape, shape)) {
    return fail(ErrorCode::kCorruptData, "{}: {} has shape {}, want {}", file, name, shape_text(tensor->shape),
                shape_text(shape));
  }
  if (tensor->dtype == DType::kI64 || tensor->dtype == DType::kOther) {
    return fail(ErrorCode::kUnsupported, "{}: {} has type {}, want F32, F16 or BF16", file, name,
                dtype_name(tensor->dtype));
  }
  return tensor;
}

Result<std::vector<float>> read_tensor(const TensorSource& source, std::string_view name,
                                       std::span<const std::uint64_t> shape) {
  ASSIGN_OR_RETURN(const TensorView* const tensor, find_tensor(source, name, shape));
  std::vector<float> values(tensor->elements());
  // Looked at while they are in the first cache level.
  constexpr std::size_t kValuesAtOnce = 4096;
  for (std::size_t begin = 0; begin < values.size(); begin += kValuesAtOnce) {
    const auto part = std::span(values).subspan(begin, std::min(kValuesAtOnce, values.size() - begin));
    copy_as_f32(*tensor, begin, part);
    if (is_finite(part)) continue;
    const auto damaged = std::ranges::find_if(part, [](float value) { return !std::isfinite(value); });
    return fail(ErrorCode::kCorruptData, "{}: {} has {} at position {}, want finite numbers", name_of(source), name,
                *damaged, begin + static_cast<std::size_t>(damaged - part.begin()));
  }
  source.discard(*tensor);
  return values;
}

Result<NormWeights> read_norm(const TensorSource& source, const LinearNames& names, std::size_t width) {
  const std::array<std::uint64_t, 1> shape{width};
  NormWeights norm;
  ASSIGN_OR_RETURN(norm.gamma, read_tensor(source, names.weight, shape));
  ASSIGN_OR_RETURN(norm.beta, read_tensor(source, names.bias, shape));
  return norm;
}

std::string resolve_name(const EncoderSpec& spec, const TensorSource& source, std::string_view name) {
  std::string old_name(name);
  if (old_name.ends_with("LayerNorm.weight")) old_name.replace(old_name.size() - 6, 6, "gamma");
  if (old_name.ends_with("LayerNorm.bias")) old_name.replace(old_name.size() - 4, 4, "beta");
  for (const std::string_view wrapper : {"", "module."}) {
    for (const std::string& prefix : spec.prefixes) {
      for (const std::string_view known : {name, std::string_view(old_name)}) {
        std::string full = std::string(wrapper).append(prefix).append(known);
        if (source.find(full) != nullptr) return full;
      }
    }
  }
  return std::string(name);
}

}  // namespace tandem

#include "index/vector_rows.h"

#include "index/block_checks.h"

namespace tandem {

std::size_t bytes_of(ElementType element) {
  switch (element) {
    case ElementType::kF32:
      return 4;
    case ElementType::kBf16:
      return 2;
    case ElementType::kInt8:
      return 1;
  }
  return 0;
}

std::string_view name_of(ElementType element) {
  switch (element) {
    case ElementType::kF32:
      return "f32";
    case ElementType::kBf16:
      return "bf16";
    case ElementType::kInt8:
      return "int8";
  }
  return "";
}

Result<VectorBlock> VectorRows::read(std::size_t first, std::size_t count) const {
  const VectorBlock rows = all_.slice(first, count);
  if (checks_ != nullptr) RETURN_IF_ERROR(checks_->check(rows.bytes()));
  return rows;
}

}  // namespace tandem

// How a thread treats numbers too small to be normalised.
#pragma once

#include <cstdint>

namespace tandem {

/// Sets flush-to-zero and denormals-are-zero for the calling thread while it lives: a denormal costs a hundred cycles
/// and carries nothing here.
class DenormalsAreZero {
 public:
  DenormalsAreZero();
  ~DenormalsAreZero();
  DenormalsAreZero(const DenormalsAreZero&) = delete;
  DenormalsAreZero& operator=(const DenormalsAreZero&) = delete;

 private:
  std::uint64_t previous_;
};

}  // namespace tandem

#include "kernels/denormals.h"

#include <xmmintrin.h>

namespace tandem {

// Bits 15 and 6 of MXCSR (Intel SDM, volume 1, 10.2.3).
DenormalsAreZero::DenormalsAreZero() : previous_(_mm_getcsr()) {
  _mm_setcsr(static_cast<unsigned>(previous_) | 0x8040U);
}
DenormalsAreZero::~DenormalsAreZero() { _mm_setcsr(static_cast<unsigned>(previous_)); }

}  // namespace tandem

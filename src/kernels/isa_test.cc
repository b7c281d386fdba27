#include "kernels/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace tandem {
namespace {

TEST(Isa, RefusesWhatItDoesNotKnow) {
  ASSERT_EQ(::setenv("TANDEM_ISA", "mmx", 1), 0);
  const auto chosen = choose_isa();
  ::unsetenv("TANDEM_ISA");
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(chosen.error().message.find("'mmx'"), std::string::npos);
}

}  // namespace
}  // namespace tandem

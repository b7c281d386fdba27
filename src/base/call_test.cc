#include "base/call.h"

#include <gtest/gtest.h>

#include <thread>

namespace tandem {
namespace {

using namespace std::chrono_literals;

TEST(CallOptions, EndByAStopTokenOrADeadline) {
  EXPECT_TRUE(check_call({}));
  std::stop_source stop;
  EXPECT_TRUE(check_call({.stop = stop.get_token()}));
  stop.request_stop();
  EXPECT_EQ(check_call({.stop = stop.get_token()}).error().code, ErrorCode::kCancelled);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_TRUE(check_call({.deadline = now + 1h}));
  EXPECT_EQ(check_call({.deadline = now}).error().code, ErrorCode::kDeadlineExceeded);
}

TEST(CallOptions, AWaitEndsWithTheCall) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(wait_while({}, 20ms));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  EXPECT_EQ(wait_while({.deadline = begin + 40ms}, 1h).error().code, ErrorCode::kDeadlineExceeded);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_EQ(wait_while({.stop = stop.get_token()}, 1h).error().code, ErrorCode::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

}  // namespace
}  // namespace tandem

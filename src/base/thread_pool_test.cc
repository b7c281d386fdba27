#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tandem {
namespace {

TEST(ThreadPool, RunsEveryPartOnce) {
  ThreadPool pool(3);
  for (std::size_t parts : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> runs(parts);
    pool.run(parts, [&](std::size_t part, std::size_t worker) {
      EXPECT_LT(worker, pool.threads());
      ++runs[part];
    });
    for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
  }
}

TEST(ThreadPool, ServesSeveralCallersAtOnce) {
  ThreadPool pool(2);
  std::atomic<int> total = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int job = 0; job < 50; ++job) pool.run(5, [&](std::size_t, std::size_t) { ++total; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4 * 50 * 5);
}

TEST(ThreadPool, ReportsProgressFromTheCallingThreadUpToTheTotal) {
  ThreadPool pool(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::size_t last = 0;
  pool.run(
      64, [](std::size_t, std::size_t) {},
      [&](std::size_t done) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        EXPECT_GE(done, last);
        last = done;
      });
  EXPECT_LE(last, 64U);
}

// Another part throws in each round, while others still use what lies in the frame of the caller.
TEST(ThreadPool, LetsAnExceptionOutWhenNoPartIsRunningAnyMore) {
  ThreadPool pool(4);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> running = 0;
    std::atomic<bool> after = false;
    std::atomic<bool> ran_after = false;
    const auto work = [&](std::size_t part, std::size_t) {
      ++running;
      if (after) ran_after = true;
      std::this_thread::yield();
      --running;
      if (part % 7 == static_cast<std::size_t>(round % 7)) throw std::bad_alloc();
    };
    EXPECT_THROW(pool.run(100, work), std::bad_alloc);
    after = true;
    EXPECT_EQ(running.load(), 0);
    EXPECT_FALSE(ran_after.load());
  }
  std::atomic<int> runs = 0;
  pool.run(10, [&](std::size_t, std::size_t) { ++runs; });
  EXPECT_EQ(runs.load(), 10);
  const auto progress = [](std::size_t) { throw std::runtime_error("stop"); };
  EXPECT_THROW(pool.run(
                   10, [&](std::size_t, std::size_t) { ++runs; }, progress),
               std::runtime_error);
}

}  // namespace
}  // namespace tandem

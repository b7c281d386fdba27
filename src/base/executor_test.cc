#include "tandem/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"

namespace tandem {
namespace {

using namespace std::chrono_literals;

TEST(Executor, RunsEveryPartOnceInSlotsOfItsOwn) {
  const Executor executor(3);
  EXPECT_EQ(executor.threads(), 3U);
  for (std::size_t parts : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> runs(parts);
    std::vector<std::atomic<int>> users(executor.threads());
    const Status status = executor.run(parts, [&](std::size_t part, std::size_t slot) -> Status {
      EXPECT_EQ(users.at(slot)++, 0);
      ++runs[part];
      --users[slot];
      return {};
    });
    EXPECT_TRUE(status);
    for (const auto& count : runs) EXPECT_EQ(count.load(), 1);
  }
}

TEST(Executor, HasAsManyThreadsAsProcessorsUnlessTold) {
  EXPECT_EQ(Executor().threads(), available_processors());
  EXPECT_EQ(Executor(1'000'000).threads(), Executor::kThreadsMax);
}

TEST(Executor, WorksInTheCallersThreadAloneWhereItHasOne) {
  const Executor executor(1);
  std::set<std::thread::id> threads;
  EXPECT_TRUE(executor.run(20, [&](std::size_t, std::size_t slot) -> Status {
    EXPECT_EQ(slot, 0U);
    threads.insert(std::this_thread::get_id());
    return {};
  }));
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

TEST(Executor, ServesSeveralCallersWithNoMoreThreadsThanItHas) {
  const Executor executor(2);
  std::atomic<int> total = 0;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int job = 0; job < 50; ++job) {
        EXPECT_TRUE(executor.run(5, [&](std::size_t, std::size_t) -> Status {
          const int now = ++running;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          ++total;
          --running;
          return {};
        }));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4 * 50 * 5);
  EXPECT_LE(most.load(), 2);
}

// A short job that comes while a long one runs waits for about one part of it, not for all.
TEST(Executor, TakesTurnsBetweenJobs) {
  const Executor executor(1);
  std::latch long_began(1);
  std::atomic<int> long_done = 0;
  std::thread long_caller([&] {
    EXPECT_TRUE(executor.run(50, [&](std::size_t part, std::size_t) -> Status {
      if (part == 0) long_began.count_down();
      std::this_thread::sleep_for(5ms);
      ++long_done;
      return {};
    }));
  });
  long_began.wait();
  EXPECT_TRUE(executor.run(3, [](std::size_t, std::size_t) -> Status { return {}; }));
  EXPECT_LE(long_done.load(), 20);
  long_caller.join();
  EXPECT_EQ(long_done.load(), 50);
}

TEST(Executor, ReportsProgressFromTheCallingThreadUpToTheTotal) {
  const Executor executor(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::size_t last = 0;
  const auto on_part = [&](std::size_t done) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_GT(done, last);
    last = done;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // Meanwhile the other thread may do all of the rest.
  };
  EXPECT_TRUE(executor.run(
      64, [](std::size_t, std::size_t) -> Status { return {}; }, {}, on_part));
  EXPECT_EQ(last, 64U);
}

TEST(Executor, StartsNoPartAfterAnErrorAndReturnsTheFirst) {
  const Executor executor(4);
  std::atomic<int> runs = 0;
  const Status status = executor.run(10'000, [&](std::size_t part, std::size_t) -> Status {
    ++runs;
    if (part >= 3) return fail(ErrorCode::kCorruptData, "part {}", part);
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruptData);
  EXPECT_LE(runs.load(), 3 + 4);
}

// Another part throws in each round, while others still use what lies in the frame of the caller.
TEST(Executor, LetsAnExceptionOutWhenNoPartIsRunningAnyMore) {
  const Executor executor(4);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> running = 0;
    std::atomic<bool> after = false;
    std::atomic<bool> ran_after = false;
    const auto work = [&](std::size_t part, std::size_t) -> Status {
      ++running;
      if (after) ran_after = true;
      std::this_thread::yield();
      --running;
      if (part % 7 == static_cast<std::size_t>(round % 7)) throw std::bad_alloc();
      return {};
    };
    EXPECT_THROW(static_cast<void>(executor.run(100, work)), std::bad_alloc);
    after = true;
    EXPECT_EQ(running.load(), 0);
    EXPECT_FALSE(ran_after.load());
  }
  std::atomic<int> runs = 0;
  const auto count = [&](std::size_t, std::size_t) -> Status {
    ++runs;
    return {};
  };
  EXPECT_TRUE(executor.run(10, count));
  EXPECT_EQ(runs.load(), 10);
  const auto progress = [](std::size_t) { throw std::runtime_error("stop"); };
  EXPECT_THROW(static_cast<void>(executor.run(10, count, {}, progress)), std::runtime_error);
}

TEST(Executor, EndsAJobThatIsToldTo) {
  const Executor executor(2);
  std::stop_source stop;
  std::atomic<int> runs = 0;
  const Status status = executor.run(1'000'000,
                                     [&](std::size_t part, std::size_t) -> Status {
                                       ++runs;
                                       if (part == 10) stop.request_stop();
                                       return {};
                                     },
                                     {.stop = stop.get_token()});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled);
  EXPECT_LE(runs.load(), 13);
  EXPECT_EQ(executor.run(0, {}, {.stop = stop.get_token()}).error().code, ErrorCode::kCancelled);
}

// The caller of the second job has no slot: it is woken from outside.
TEST(Executor, EndsAJobThatWaitsForItsTurn) {
  const Executor executor(1);
  std::latch began(1);
  std::latch end(1);
  std::thread other([&] {
    EXPECT_TRUE(executor.run(1, [&](std::size_t, std::size_t) -> Status {
      began.count_down();
      end.wait();
      return {};
    }));
  });
  began.wait();
  const auto never = [](std::size_t, std::size_t) -> Status {
    ADD_FAILURE() << "ran without a slot";
    return {};
  };
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  EXPECT_EQ(executor.run(1, never, {.stop = stop.get_token()}).error().code, ErrorCode::kCancelled);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(executor.run(1, never, {.deadline = begin + 20ms}).error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  stopper.join();
  end.count_down();
  other.join();
}

// The others' parts are still running when the caller notices: it waits for them without the lock that they need.
TEST(Executor, EndsAJobWhosePartsAreRunning) {
  const Executor executor(2);
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(30ms);
    stop.request_stop();
  });
  std::atomic<int> runs = 0;
  const auto work = [&](std::size_t part, std::size_t) -> Status {
    ++runs;
    std::this_thread::sleep_for(part % 2 == 0 ? 5ms : 20ms);
    return {};
  };
  EXPECT_EQ(executor.run(1000, work, {.stop = stop.get_token()}).error().code, ErrorCode::kCancelled);
  stopper.join();
  EXPECT_LT(runs.load(), 20);
  const auto deadline = std::chrono::steady_clock::now() + 30ms;
  EXPECT_EQ(executor.run(1000, work, {.deadline = deadline}).error().code, ErrorCode::kDeadlineExceeded);
}

TEST(Executor, CopiesShareTheThreads) {
  Executor executor(2);
  const Executor copy = executor;
  executor = Executor(1);
  std::atomic<int> runs = 0;
  EXPECT_TRUE(copy.run(8, [&](std::size_t, std::size_t) -> Status {
    ++runs;
    return {};
  }));
  EXPECT_EQ(copy.threads(), 2U);
  EXPECT_EQ(runs.load(), 8);
}

}  // namespace
}  // namespace tandem

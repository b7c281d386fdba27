#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tandem {

std::size_t available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
  return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

// The parts of a job are far longer (milliseconds) than taking a lock, so one mutex guards everything.
struct ThreadPool::State {
  std::mutex job_mutex;  // Held by the caller whose job is running.

  std::mutex mutex;
  std::condition_variable work_ready;
  std::condition_variable part_done;
  const std::function<void(std::size_t, std::size_t)>* work = nullptr;
  std::size_t parts = 0;
  std::size_t next_part = 0;
  std::size_t parts_done = 0;
  std::exception_ptr failure;  // The first of this job.
  bool stopping = false;

  std::vector<std::thread> threads;

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work_ready.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

  // Calls what belongs to the job, with the lock released. An exception is kept for the caller, and ends the job with
  // the parts that have begun: their captures live in the caller's frame, which must not unwind while they run.
  template <class Call>
  void run_unlocked(std::unique_lock<std::mutex>& lock, const Call& call) {
    std::exception_ptr thrown;
    lock.unlock();
    try {
      call();
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    if (thrown == nullptr) return;
    if (failure == nullptr) failure = std::move(thrown);
    parts = next_part;
  }

  // Takes and runs one part; the lock is released while it runs. False: none is left.
  bool run_one(std::unique_lock<std::mutex>& lock, std::size_t worker) {
    if (next_part >= parts) return false;
    const std::size_t part = next_part++;
    const auto* current = work;
    run_unlocked(lock, [&] { (*current)(part, worker); });
    ++parts_done;
    part_done.notify_one();
    return true;
  }

  void serve(std::size_t worker) {
    std::unique_lock lock(mutex);
    for (;;) {
      work_ready.wait(lock, [&] { return stopping || next_part < parts; });
      if (stopping) return;
      while (run_one(lock, worker)) {
      }
    }
  }
};

ThreadPool::ThreadPool(std::size_t threads) : state_(std::make_unique<State>()) {
  if (threads == 0) threads = available_processors();
  for (std::size_t worker = 1; worker < threads; ++worker) {
    state_->threads.emplace_back([state = state_.get(), worker] { state->serve(worker); });
  }
}

ThreadPool::~ThreadPool() = default;

std::size_t ThreadPool::threads() const { return state_->threads.size() + 1; }

void ThreadPool::run(std::size_t parts, const std::function<void(std::size_t, std::size_t)>& work,
                     const std::function<void(std::size_t)>& on_progress) {
  if (parts == 0) return;
  State& state = *state_;
  const std::lock_guard job(state.job_mutex);
  std::unique_lock lock(state.mutex);
  state.work = &work;
  state.parts = parts;
  state.next_part = 0;
  state.parts_done = 0;
  if (parts > 1) state.work_ready.notify_all();

  const auto report = [&] {
    if (!on_progress || state.failure != nullptr) return;
    const std::size_t done = state.parts_done;
    state.run_unlocked(lock, [&] { on_progress(done); });
  };
  while (state.run_one(lock, 0)) report();
  while (state.parts_done < state.parts) {
    state.part_done.wait(lock);
    report();
  }
  state.parts = 0;
  state.next_part = 0;
  if (state.failure != nullptr) std::rethrow_exception(std::exchange(state.failure, nullptr));
}

}  // namespace tandem

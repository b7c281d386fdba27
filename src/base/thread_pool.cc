#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
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
  bool stopping = false;

  std::vector<std::thread> threads;

  // Takes and runs one part; the lock is released while it runs. False: none is left.
  bool run_one(std::unique_lock<std::mutex>& lock, std::size_t worker) {
    if (next_part >= parts) return false;
    const std::size_t part = next_part++;
    const auto* current = work;
    lock.unlock();
    (*current)(part, worker);
    lock.lock();
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

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->work_ready.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

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
    if (!on_progress) return;
    const std::size_t done = state.parts_done;
    lock.unlock();
    on_progress(done);
    lock.lock();
  };
  while (state.run_one(lock, 0)) report();
  while (state.parts_done < parts) {
    state.part_done.wait(lock);
    report();
  }
  state.parts = 0;
  state.next_part = 0;
}

}  // namespace tandem

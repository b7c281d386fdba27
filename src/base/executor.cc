#include "tandem/executor.h"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/call.h"
#include "base/error.h"

namespace tandem {

std::size_t available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<std::size_t>(std::max(CPU_COUNT(&set), 1));
  return std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
}

// The parts of a job are far longer (milliseconds) than taking a lock, so one mutex guards everything.
struct Executor::State {
  /// One call of run(), in its frame.
  struct Job {
    const Work& work;
    const CallOptions& call;
    const std::size_t parts;
    std::size_t next = 0;
    std::size_t running = 0;
    std::size_t done = 0;
    std::uint64_t last_turn = 0;  // When a part of it last began.
    bool ended = false;           // No further part starts.
    Status status = {};           // The first error.
    std::exception_ptr failure = {};
    bool caller_waits = false;
    std::condition_variable caller = {};

    bool has_parts() const { return !ended && next < parts; }
    bool is_over() const { return !has_parts() && running == 0; }
  };

  explicit State(std::size_t threads) : slot_is_free(threads, true), free_slots(threads), helpers_wanted(threads) {}

  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    helper.notify_all();
    for (std::thread& thread : helpers) thread.join();
  }

  std::mutex mutex;
  std::condition_variable helper;  // What helpers wait for.
  std::vector<bool> slot_is_free;
  std::size_t free_slots;
  std::vector<Job*> jobs;  // Those with parts that have not begun.
  std::uint64_t turns = 0;
  bool stopping = false;
  std::size_t helpers_wanted;  // The first caller of all counts as one.
  std::vector<std::thread> helpers;

  /// How many of the jobs have their turn before this one.
  std::size_t jobs_before(const Job& job) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(jobs, [&](const Job* other) { return other->last_turn < job.last_turn; }));
  }

  Job& first_job() const { return **std::ranges::min_element(jobs, {}, &Job::last_turn); }

  void remove(const Job& job) { std::erase(jobs, &job); }

  /// Wakes somebody for the job whose turn it is, where there is room for one more part.
  void wake_next() {
    if (free_slots == 0 || jobs.empty()) return;
    Job& job = first_job();
    job.caller_waits ? job.caller.notify_one() : helper.notify_one();
  }

  /// Takes the slot that a thread had last, whose memory its core may still have in its cache, or else the first one.
  std::size_t take_slot(std::size_t preferred) {
    if (!slot_is_free[preferred]) {
      preferred = static_cast<std::size_t>(std::ranges::find(slot_is_free, true) - slot_is_free.begin());
    }
    slot_is_free[preferred] = false;
    --free_slots;
    return preferred;
  }

  /// Runs the next part of a job; the lock is released meanwhile.
  void run_part(std::unique_lock<std::mutex>& lock, Job& job, std::size_t& slot) {
    slot = take_slot(slot);
    const std::size_t part = job.next++;
    ++job.running;
    job.last_turn = ++turns;
    if (!job.has_parts()) remove(job);
    wake_next();
    const auto [status, failure] = without(lock, [&]() -> Status {
      RETURN_IF_ERROR(check_call(job.call));
      return job.work(part, slot);
    });
    --job.running;
    ++job.done;
    slot_is_free[slot] = true;
    ++free_slots;
    if (!status || failure != nullptr) end(job, status, failure);
    if (job.caller_waits) job.caller.notify_one();
    wake_next();
  }

  /// What `call` returns, or throws, without the lock.
  template <class Call>
  static std::pair<Status, std::exception_ptr> without(std::unique_lock<std::mutex>& lock, const Call& call) {
    std::pair<Status, std::exception_ptr> outcome;
    lock.unlock();
    try {
      outcome.first = call();
    } catch (...) {
      outcome.second = std::current_exception();
    }
    lock.lock();
    return outcome;
  }

  /// No further part of the job starts. Those that run use what lies in the frame of the caller, who waits for them.
  void end(Job& job, const Status& status, const std::exception_ptr& failure) {
    if (!job.ended && job.next < job.parts) remove(job);
    job.ended = true;
    if (job.status && job.failure == nullptr) {
      job.status = status;
      job.failure = failure;
    }
  }

  void help(std::size_t slot) {
    std::unique_lock lock(mutex);
    for (;;) {
      helper.wait(lock, [&] { return stopping || (free_slots > 0 && !jobs.empty()); });
      if (stopping) return;
      run_part(lock, first_job(), slot);
    }
  }

  /// As many as the system lets us have: fewer take longer, and the callers' own threads work in any case.
  void start_helpers() {
    try {
      while (helpers.size() + 1 < helpers_wanted) {
        helpers.emplace_back([this, slot = helpers.size() + 1] { help(slot); });
      }
    } catch (const std::system_error&) {
      helpers_wanted = helpers.size() + 1;
    }
  }

  Status run(Job& job, const std::function<void(std::size_t)>& on_part) {
    // Wakes a caller who waits for a slot, or for the others.
    const std::stop_callback on_stop(job.call.stop, [&] {
      const std::lock_guard lock(mutex);
      job.caller.notify_one();
    });
    std::unique_lock lock(mutex);
    if (job.parts > 1 || !jobs.empty()) start_helpers();
    job.last_turn = ++turns;
    jobs.push_back(&job);
    std::size_t slot = 0;
    std::size_t reported = 0;
    for (;;) {
      // First of all: helpers may have done the rest while the caller said how far it was.
      if (on_part && job.done > reported && !job.ended) {
        reported = job.done;
        const auto [status, failure] = without(lock, [&]() -> Status {
          on_part(reported);
          return {};
        });
        if (failure != nullptr) end(job, status, failure);
        continue;
      }
      if (job.is_over()) break;
      if (const Status goes_on = job.ended ? Status() : check_call(job.call); !goes_on) {
        end(job, goes_on, nullptr);
      } else if (job.has_parts() && free_slots > jobs_before(job)) {
        run_part(lock, job, slot);
      } else {
        wait(lock, job);
      }
    }
    if (job.failure != nullptr) std::rethrow_exception(job.failure);
    return job.status;
  }

  static void wait(std::unique_lock<std::mutex>& lock, Job& job) {
    job.caller_waits = true;
    // Once the job has ended only its parts are waited for, and a deadline that has passed would not wait at all.
    if (job.call.deadline && !job.ended) {
      job.caller.wait_until(lock, *job.call.deadline);
    } else {
      job.caller.wait(lock);
    }
    job.caller_waits = false;
  }
};

Executor::Executor(std::size_t threads)
    : state_(std::make_shared<State>(std::min(threads == 0 ? available_processors() : threads, kThreadsMax))) {}

Executor::Executor(const Executor&) = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(const Executor&) = default;
Executor& Executor::operator=(Executor&&) noexcept = default;
Executor::~Executor() = default;

std::size_t Executor::threads() const { return state_->slot_is_free.size(); }

Status Executor::run(std::size_t parts, const Work& work, const CallOptions& call,
                     const std::function<void(std::size_t)>& on_part) const {
  if (parts == 0) return check_call(call);
  State::Job job{.work = work, .call = call, .parts = parts};
  return state_->run(job, on_part);
}

}  // namespace tandem

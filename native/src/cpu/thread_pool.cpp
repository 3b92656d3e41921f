#include "cpu/thread_pool.h"

#include <algorithm>
#include <exception>

#include "error.h"

#if defined(__linux__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace nt::cpu {
namespace {

constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr uint64_t kActive = kOpen - 1;
constexpr int kNumberShift = 32;

// How long a worker spins for the next job before it parks. Between two decode steps a caller samples and detokenizes,
// which takes some 100 µs; a park and wake costs about 50 µs.
constexpr auto kSpin = std::chrono::microseconds(300);

// Pauses between two looks at the clock.
constexpr int kPausesPerLook = 64;

// A worker that the system does not run while it is inside a task holds up the caller: for some 3 ms, a time slice,
// where another program shares its core. Waiting counts as that from kStall and kStallTasks tasks on. Where that is
// more than kStallShare of at least kWindow, a thread less is used for a while.
constexpr std::chrono::microseconds kStall{200};
constexpr int kStallTasks = 4;
constexpr double kStallShare = 0.3;
constexpr std::chrono::milliseconds kWindow{10}, kFirstRest{100}, kLongestRest{1600};

inline void pause() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// What top and debuggers call a worker; at most 15 bytes on Linux.
void name_thread() {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "nautil-worker");
#elif defined(__APPLE__)
  pthread_setname_np("nautil-worker");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int n_threads)
    : ranges_(static_cast<size_t>(n_threads > 1 ? n_threads : 1)), n_used_(size()), rest_(kFirstRest) {
  workers_.reserve(static_cast<size_t>(n_threads > 1 ? n_threads - 1 : 0));
  try {
    for (int i = 1; i < n_threads; ++i) workers_.emplace_back([this, i] { worker(i); });
  } catch (const std::exception& e) {  // std::system_error, or std::bad_alloc for the thread's state
    const size_t started = workers_.size();
    join_all();
    throw Error(NT_OUT_OF_MEMORY, format("cannot start thread %zu of %d: %s", started + 2, n_threads, e.what()));
  }
}

ThreadPool::~ThreadPool() { join_all(); }

void ThreadPool::join_all() {
  {
    std::lock_guard<std::mutex> lock(park_mutex_);
    stop_ = true;
  }
  park_.notify_all();
  for (std::thread& t : workers_) t.join();
}

void ThreadPool::run_job(const Job& job) {
  std::lock_guard<std::mutex> turn(turn_);
  const Clock::time_point start = Clock::now();
  bring_back_worker(start);
  job_ = job;
  const int n = n_used_.load(std::memory_order_relaxed);
  for (int i = 0; i < size(); ++i) {
    Range& range = ranges_[static_cast<size_t>(i)];
    range.next.store(static_cast<int>(int64_t{job.n_tasks} * std::min(i, n) / n), std::memory_order_relaxed);
    range.end = static_cast<int>(int64_t{job.n_tasks} * std::min(i + 1, n) / n);
  }
  const uint64_t number = (state_.load(std::memory_order_relaxed) >> kNumberShift) + 1;
  // Sequentially consistent with n_parked_: either a parking worker sees this job, or it is seen as parked.
  state_.store(number << kNumberShift | kOpen);
  if (n_parked_.load() > 0) {
    { std::lock_guard<std::mutex> lock(park_mutex_); }
    park_.notify_all();
  }
  const int done = work(0);
  const Clock::time_point end = Clock::now();
  state_.fetch_and(~kOpen, std::memory_order_acq_rel);
  for (int looks = 0; (state_.load(std::memory_order_acquire) & kActive) != 0; ++looks) {
    // A worker that was preempted inside a task may need this very core.
    looks < 1000 ? pause() : std::this_thread::yield();
  }
  rest_worker(start, end, done);
}

// A thread more, when the time has come.
void ThreadPool::bring_back_worker(Clock::time_point now) {
  if (n_used_.load(std::memory_order_relaxed) == size() || now < rest_until_) return;
  n_used_.fetch_add(1);
  rest_until_ = now + rest_;
  used_ = stalled_ = {};
  { std::lock_guard<std::mutex> lock(park_mutex_); }
  park_.notify_all();
}

// A thread less, if waiting takes more than it gives. The caller had done `done` tasks by `end`.
void ThreadPool::rest_worker(Clock::time_point start, Clock::time_point end, int done) {
  const int n = n_used_.load(std::memory_order_relaxed);
  if (n == 1) return;
  const Clock::time_point now = Clock::now();
  used_ += now - start;
  const auto waited = now - end;
  if (waited > kStall && waited * done > kStallTasks * (end - start)) stalled_ += waited;
  if (used_ < kWindow) return;
  if (stalled_ > kStallShare * used_) {
    n_used_.store(n - 1);
    rest_until_ = now + rest_;
    rest_ = std::min<Clock::duration>(2 * rest_, kLongestRest);
  } else if (n == size()) {
    rest_ = kFirstRest;
  }
  used_ = stalled_ = {};
}

// Returns how many tasks the thread did.
int ThreadPool::work(int thread) {
  int done = 0;
  for (int turn = 0; turn < size(); ++turn) {
    Range& range = ranges_[static_cast<size_t>((thread + turn) % size())];
    for (;;) {
      const int i = range.next.fetch_add(1, std::memory_order_relaxed);
      if (i >= range.end) break;
      job_.call(job_.task, i, thread);
      ++done;
    }
  }
  return done;
}

// Waits until the job's number is not `seen`, or stop; returns the state then.
uint64_t ThreadPool::wait_for_job(uint64_t seen, int thread) {
  const auto changed = [&](uint64_t state) { return state >> kNumberShift != seen; };
  const auto used = [&] { return thread < n_used_.load(); };
  const Clock::time_point start = Clock::now();
  do {
    for (int i = 0; i < kPausesPerLook && used(); ++i) {
      const uint64_t state = state_.load(std::memory_order_acquire);
      if (changed(state)) return state;
      pause();
    }
  } while (used() && Clock::now() - start < kSpin);
  std::unique_lock<std::mutex> lock(park_mutex_);
  park_.wait(lock, [&] { return stop_ || used(); });  // not counted in n_parked_: no job is to wake it
  n_parked_.fetch_add(1);
  park_.wait(lock, [&] { return stop_ || changed(state_.load()); });
  n_parked_.fetch_sub(1);
  return state_.load(std::memory_order_acquire);
}

void ThreadPool::worker(int thread) {
  name_thread();
  uint64_t seen = 0;
  for (;;) {
    uint64_t state = wait_for_job(seen, thread);
    if (stop_) return;
    seen = state >> kNumberShift;
    // Join, unless the job has closed meanwhile.
    while ((state & kOpen) != 0 && state >> kNumberShift == seen) {
      if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel)) continue;
      work(thread);
      state_.fetch_sub(1, std::memory_order_acq_rel);
      break;
    }
  }
}

}  // namespace nt::cpu

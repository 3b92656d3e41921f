#include "system.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace nt {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

#if defined(__linux__)

// The value of a "Name:   123 kB" line in bytes, or -1.
int64_t proc_field(const char* path, const char* field) {
  std::ifstream in(path);
  std::string line;
  const size_t n = std::strlen(field);
  while (std::getline(in, line)) {
    if (line.compare(0, n, field) == 0) return std::strtoll(line.c_str() + n, nullptr, 10) * 1024;
  }
  return -1;
}

// First number of a file; -1 if there is none (also for cgroup's "max").
int64_t first_number(const std::string& path) {
  std::ifstream in(path);
  int64_t value = -1;
  return in >> value ? value : -1;
}

// Calls visit with the folder of this process's cgroup (version 2) and of each of its parents. Of version 1 a container
// sees its own group at the root.
template <typename Visit>
void each_cgroup(Visit visit) {
  std::ifstream in("/proc/self/cgroup");
  std::string line, path;
  while (std::getline(in, line)) {
    if (line.compare(0, 3, "0::") == 0) path = line.substr(3);
  }
  for (;;) {
    visit("/sys/fs/cgroup" + path);
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return;
    path.erase(slash);
  }
}

// Bytes that a cgroup's limit leaves. Its page cache counts as used, but is given back when memory is asked for.
int64_t cgroup_room(const std::string& folder, const char* limit_file, const char* used_file) {
  const int64_t limit = first_number(folder + limit_file), used = first_number(folder + used_file);
  if (limit < 0 || used < 0) return kNoLimit;
  std::ifstream in(folder + "/memory.stat");
  std::string key;
  int64_t value, cache = 0;
  while (in >> key >> value) {
    if (key == "inactive_file" || key == "active_file") cache += value;
  }
  return std::max<int64_t>(0, limit - used + cache);
}

#endif

}  // namespace

int default_threads() {
  int n = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
  each_cgroup([&n](const std::string& folder) {
    std::ifstream in(folder + "/cpu.max");
    double quota, period;
    if (in >> quota >> period && quota > 0 && period > 0) n = std::min(n, static_cast<int>(quota / period + 0.5));
  });
  const int64_t quota = first_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const int64_t period = first_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (quota > 0 && period > 0) n = std::min(n, static_cast<int>((quota + period / 2) / period));
#endif
  return std::max(n, 1);
}

int64_t available_memory() {
#if defined(__linux__)
  int64_t least = proc_field("/proc/meminfo", "MemAvailable:");
  if (least < 0) least = kNoLimit;
  each_cgroup([&least](const std::string& folder) {
    least = std::min(least, cgroup_room(folder, "/memory.max", "/memory.current"));
  });
  least = std::min(least, cgroup_room("/sys/fs/cgroup/memory", "/memory.limit_in_bytes", "/memory.usage_in_bytes"));
  return least;
#else
  return kNoLimit;
#endif
}

int64_t physical_memory() {
#if defined(__linux__)
  int64_t least = proc_field("/proc/meminfo", "MemTotal:");
  if (least < 0) least = kNoLimit;
  const auto bound = [&least](const std::string& limit_file) {
    const int64_t limit = first_number(limit_file);
    if (limit >= 0) least = std::min(least, limit);
  };
  each_cgroup([&bound](const std::string& folder) { bound(folder + "/memory.max"); });
  bound("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  return least;
#else
  return kNoLimit;
#endif
}

int64_t anonymous_memory() {
#if defined(__linux__)
  return proc_field("/proc/self/status", "RssAnon:");
#else
  return -1;
#endif
}

#if defined(__linux__)
void return_memory(void* p, size_t bytes) noexcept {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(p);
  const uintptr_t first = (begin + page - 1) / page * page, last = (begin + bytes) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void ask_for_large_pages(void* p, size_t bytes) noexcept { ::madvise(p, bytes, MADV_HUGEPAGE); }
#else
void return_memory(void*, size_t) noexcept {}
void ask_for_large_pages(void*, size_t) noexcept {}
#endif

}  // namespace nt

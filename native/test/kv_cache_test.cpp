// The KV cache's book-keeping against a model of it that keeps every token's own value.
#include "model/kv_cache.h"

#include <map>
#include <random>
#include <set>

#include "check.h"
#include "idle_executor.h"

namespace {

using nt::KvCache;

// Remembers what was written to each page, one value a token.
class Pages final : public test::IdleExecutor {
 public:
  int64_t allocations = 0, allowed = 1 << 30, copies = 0;
  std::map<int32_t, std::vector<int>> values;

  void allocate_page(int32_t page) override {
    if (allocations == allowed) throw nt::Error(NT_OUT_OF_MEMORY, "no more pages");
    CHECK(values.count(page) == 0);
    ++allocations;
    values[page].assign(KvCache::kPageTokens, -1);
  }
  void release_page(int32_t page) noexcept override { CHECK(values.erase(page) == 1); }
  void copy_page(int32_t from, int32_t to) override {
    ++copies;
    values[to] = values[from];
  }
};

void grow(KvCache& cache, Pages& pages, int seq, int n, std::vector<int>& expected, int first_value) {
  std::vector<int> growth(static_cast<size_t>(cache.n_seq()));
  growth[static_cast<size_t>(seq)] = n;
  cache.reserve(growth, pages);
  for (int i = 0; i < n; ++i) {
    const int position = cache.length(seq) + i;
    pages.values[cache.page_table(seq)[position / KvCache::kPageTokens]]
                [static_cast<size_t>(position % KvCache::kPageTokens)] = first_value + i;
    expected.push_back(first_value + i);
  }
  cache.commit(growth);
}

void check_contents(const KvCache& cache, Pages& pages, int seq, const std::vector<int>& expected) {
  CHECK_EQ(cache.length(seq), static_cast<int>(expected.size()));
  for (int i = 0; i < cache.length(seq); ++i) {
    CHECK_EQ(
        pages.values[cache.page_table(seq)[i / KvCache::kPageTokens]][static_cast<size_t>(i % KvCache::kPageTokens)],
        expected[static_cast<size_t>(i)]);
  }
}

// Of the pages that no sequence is on, few keep their memory.
void check_memory(const KvCache& cache, const Pages& pages) {
  std::set<int32_t> used;
  for (int s = 0; s < cache.n_seq(); ++s) {
    const int n = (cache.length(s) + KvCache::kPageTokens - 1) / KvCache::kPageTokens;
    used.insert(cache.page_table(s), cache.page_table(s) + n);
  }
  CHECK_EQ(cache.allocated_tokens(), static_cast<int64_t>(pages.values.size()) * KvCache::kPageTokens);
  CHECK(pages.values.size() - used.size() <= std::max<size_t>(16, used.size() / 8));
}

// `scale`: of the lengths.
void random_operations(int scale, int n_steps) {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  KvCache cache(4, 500 * scale, 1100 * scale);
  Pages pages;
  std::vector<std::vector<int>> expected(4);
  int value = 0, full = 0;
  for (int step = 0; step < n_steps; ++step) {
    const int seq = below(4);
    std::vector<int>& mine = expected[static_cast<size_t>(seq)];
    switch (below(4)) {
      case 0:
      case 1: {
        const int n = 1 + below(150 * scale);
        const size_t before = mine.size();
        try {
          grow(cache, pages, seq, n, mine, value);
          value += n;
        } catch (const nt::Error& e) {
          CHECK_EQ(e.status, NT_CONTEXT_FULL);
          CHECK(e.wanted == n);
          mine.resize(before);
          ++full;
        }
        break;
      }
      case 2: {
        const int n = below(static_cast<int>(mine.size()) + 1);
        cache.truncate(seq, n, pages);
        mine.resize(static_cast<size_t>(n));
        break;
      }
      default: {
        const int to = below(4);
        if (to == seq) break;
        cache.truncate(to, 0, pages);
        const int n = below(static_cast<int>(mine.size()) + 1);
        cache.fork(seq, to, n);
        expected[static_cast<size_t>(to)].assign(mine.begin(), mine.begin() + n);
      }
    }
    for (int s = 0; s < 4; ++s) check_contents(cache, pages, s, expected[static_cast<size_t>(s)]);
    check_memory(cache, pages);
    if (test::failures != 0) return;
  }
  CHECK(full > 0);
  CHECK(pages.copies > 0);
  CHECK(cache.allocated_tokens() <= cache.capacity());
}

void fork_copies_one_page_at_most() {
  KvCache cache(2, 4096, 8192);
  Pages pages;
  std::vector<int> a, b;
  grow(cache, pages, 0, 1000, a, 0);
  const int64_t before = pages.allocations;
  cache.fork(0, 1, 1000);
  CHECK_EQ(pages.allocations, before);
  b = a;
  grow(cache, pages, 1, 1, b, 5000);
  CHECK_EQ(pages.allocations, before + 1);
  CHECK_EQ(pages.copies, 1);
  grow(cache, pages, 0, 1, a, 6000);
  check_contents(cache, pages, 0, a);
  check_contents(cache, pages, 1, b);
}

void failure_changes_nothing() {
  KvCache cache(2, 640, 640);
  Pages pages;
  std::vector<int> a;
  grow(cache, pages, 0, 100, a, 0);
  pages.allowed = 4;
  CHECK_THROWS(cache.reserve({500, 0}, pages), NT_OUT_OF_MEMORY, "no more");
  check_contents(cache, pages, 0, a);
  pages.allowed = 1 << 30;
  CHECK_THROWS(cache.reserve({541, 0}, pages), NT_CONTEXT_FULL, "100 tokens are held, 541 more do not fit into 640");
  CHECK_THROWS(cache.reserve({400, 400}, pages), NT_CONTEXT_FULL, "the KV cache is full");
  grow(cache, pages, 0, 540, a, 100);
  check_contents(cache, pages, 0, a);
}

// Forks that grow together need a copy of their last page each, but for the one that keeps it.
void forks_grow_into_the_last_page() {
  KvCache cache(3, 128, 4 * KvCache::kPageTokens);
  Pages pages;
  std::vector<int> a;
  grow(cache, pages, 0, 100, a, 0);
  cache.fork(0, 1, 100);
  cache.fork(0, 2, 100);
  cache.reserve({28, 28, 28}, pages);
  cache.commit({28, 28, 28});
  CHECK_EQ(pages.allocations, 4);
  CHECK_EQ(pages.copies, 2);
}

// Pages that are not full, and pages that are shared, count as they are.
void full_cache_says_by_how_much() {
  KvCache cache(4, 256, 4 * KvCache::kPageTokens);
  Pages pages;
  std::vector<int> a, b;
  grow(cache, pages, 0, 100, a, 0);
  grow(cache, pages, 1, 1, b, 0);
  cache.fork(0, 2, 100);
  try {
    cache.reserve({0, 0, 0, 65}, pages);
    CHECK(!"the cache was full");
  } catch (const nt::Error& e) {
    CHECK_EQ(e.status, NT_CONTEXT_FULL);
    CHECK_EQ(e.used, 192);
    CHECK_EQ(e.wanted, 65);
    CHECK_EQ(e.capacity, 256);
  }
}

// What sequences gave back is not kept for ever, and is there again when they grow.
void memory_is_given_back() {
  KvCache cache(2, 1 << 20, 1 << 20);
  Pages pages;
  std::vector<int> a, b;
  grow(cache, pages, 0, 640 * KvCache::kPageTokens, a, 0);
  grow(cache, pages, 1, 320 * KvCache::kPageTokens, b, 0);
  CHECK_EQ(pages.values.size(), 960u);
  cache.truncate(0, 0, pages);
  CHECK_EQ(pages.values.size(), 320u + 320 / 8);
  cache.truncate(1, 0, pages);
  CHECK_EQ(pages.values.size(), 16u);
  CHECK_EQ(cache.allocated_tokens(), 16 * KvCache::kPageTokens);
  const int64_t before = pages.allocations;
  grow(cache, pages, 0, 20 * KvCache::kPageTokens, a = {}, 7);
  CHECK_EQ(pages.allocations, before + 4);
  check_contents(cache, pages, 0, a);

  // Nor what a decode that fails had taken.
  pages.allowed = pages.allocations + 100;
  CHECK_THROWS(cache.reserve({200 * KvCache::kPageTokens, 0}, pages), NT_OUT_OF_MEMORY, "no more");
  CHECK_EQ(pages.values.size(), 36u);
}

void extreme_sizes() {
  CHECK_EQ(KvCache(1, 1 << 30, INT64_MAX).capacity(), int64_t{KvCache::kPageTokens} << 30);
  CHECK_EQ(KvCache(1, 1 << 30, 1).capacity(), int64_t{KvCache::kPageTokens});
}

}  // namespace

int main() {
  random_operations(1, 5000);
  random_operations(20, 300);
  fork_copies_one_page_at_most();
  failure_changes_nothing();
  forks_grow_into_the_last_page();
  full_cache_says_by_how_much();
  memory_is_given_back();
  extreme_sizes();
  return test::result();
}

#include "model/kv_cache.h"

#include <algorithm>

namespace nt {
namespace {

// Free pages that keep their memory: an eighth of those in use, so that sequences come and go without the system, and
// no fewer than 16.
constexpr int64_t kSlackShare = 8, kLeastSlack = 16;

}  // namespace

KvCache::KvCache(int n_seq, int n_ctx, int64_t capacity)
    : n_ctx_(n_ctx),
      max_pages_(static_cast<int>(std::min<int64_t>((capacity - 1) / kPageTokens + 1, 1 << 30))),
      sequences_(static_cast<size_t>(n_seq)) {}

// Whether the next token would go onto a page that another sequence refers to as well.
bool KvCache::shares_tail(const Sequence& s) const {
  if (s.length % kPageTokens == 0) return false;
  return references_[static_cast<size_t>(s.pages[static_cast<size_t>(s.length / kPageTokens)])] > 1;
}

int64_t KvCache::copies_needed(const std::vector<int>& growth) const {
  std::vector<int32_t> tails;
  for (size_t i = 0; i < growth.size(); ++i) {
    const Sequence& s = sequences_[i];
    if (growth[i] != 0 && shares_tail(s)) tails.push_back(s.pages[static_cast<size_t>(s.length / kPageTokens)]);
  }
  std::sort(tails.begin(), tails.end());
  int64_t copies = 0;
  for (auto first = tails.begin(); first != tails.end();) {
    const auto last = std::upper_bound(first, tails.end(), *first);
    copies += std::min<int64_t>(last - first, references_[static_cast<size_t>(*first)] - 1);
    first = last;
  }
  return copies;
}

void KvCache::reserve(const std::vector<int>& growth, Executor& executor) {
  const auto full = [](const char* what, int64_t used, int64_t wanted, int64_t capacity) {
    Error e(NT_CONTEXT_FULL,
            format("%s: %lld tokens are held, %lld more do not fit into %lld", what, static_cast<long long>(used),
                   static_cast<long long>(wanted), static_cast<long long>(capacity)));
    e.used = used;
    e.wanted = wanted;
    e.capacity = capacity;
    return e;
  };
  int64_t needed = copies_needed(growth), wanted = 0;
  for (size_t i = 0; i < growth.size(); ++i) {
    const Sequence& s = sequences_[i];
    wanted += growth[i];
    if (growth[i] == 0) continue;
    if (growth[i] > n_ctx_ - s.length) throw full("the context is full", s.length, growth[i], n_ctx_);
    needed += pages_for(s.length + growth[i]) - static_cast<int>(s.pages.size());
  }
  const int64_t used = used_pages();
  if (used + needed > max_pages_) throw full("the KV cache is full", used * kPageTokens, wanted, capacity());

  try {
    for (size_t i = 0; i < growth.size(); ++i) {
      Sequence& s = sequences_[i];
      if (growth[i] == 0) continue;
      s.pages.reserve(static_cast<size_t>(pages_for(s.length + growth[i])));  // a page taken has a place to go
      if (shares_tail(s)) {
        int32_t& tail = s.pages[static_cast<size_t>(s.length / kPageTokens)];
        const int32_t copy = take(executor);
        executor.copy_page(tail, copy);
        drop(tail);
        tail = copy;
      }
      while (static_cast<int>(s.pages.size()) < pages_for(s.length + growth[i])) s.pages.push_back(take(executor));
    }
  } catch (...) {
    release_unused(executor);
    throw;
  }
}

void KvCache::commit(const std::vector<int>& growth) {
  for (size_t i = 0; i < growth.size(); ++i) sequences_[i].length += growth[i];
}

void KvCache::release_unused(Executor& executor) {
  for (Sequence& s : sequences_) shrink(s, pages_for(s.length));
  trim(executor);
}

void KvCache::truncate(int seq, int n, Executor& executor) {
  Sequence& s = sequences_[static_cast<size_t>(seq)];
  s.length = std::min(s.length, n);
  shrink(s, pages_for(s.length));
  trim(executor);
}

void KvCache::fork(int from, int to, int n) {
  Sequence& source = sequences_[static_cast<size_t>(from)];
  Sequence& target = sequences_[static_cast<size_t>(to)];
  target.pages.assign(source.pages.begin(), source.pages.begin() + pages_for(n));
  target.length = n;
  for (int32_t page : target.pages) ++references_[static_cast<size_t>(page)];
}

int32_t KvCache::take(Executor& executor) {
  if (!free_.empty()) {
    const int32_t page = free_.back();
    free_.pop_back();
    references_[static_cast<size_t>(page)] = 1;
    return page;
  }
  if (released_.empty()) {
    const size_t n = references_.size() + 1;
    free_.reserve(n);  // so that drop() and trim() cannot fail
    released_.reserve(n);
    references_.push_back(0);
    released_.push_back(static_cast<int32_t>(n - 1));
  }
  const int32_t page = released_.back();
  executor.allocate_page(page);
  released_.pop_back();
  references_[static_cast<size_t>(page)] = 1;
  return page;
}

void KvCache::drop(int32_t page) {
  if (--references_[static_cast<size_t>(page)] == 0) free_.push_back(page);
}

void KvCache::shrink(Sequence& s, int n_pages) {
  while (static_cast<int>(s.pages.size()) > n_pages) {
    drop(s.pages.back());
    s.pages.pop_back();
  }
}

// Gives back the memory of free pages beyond the slack.
void KvCache::trim(Executor& executor) {
  const auto slack = static_cast<size_t>(std::max(used_pages() / kSlackShare, kLeastSlack));
  while (free_.size() > slack) {
    executor.release_page(free_.back());
    released_.push_back(free_.back());
    free_.pop_back();
  }
}

}  // namespace nt

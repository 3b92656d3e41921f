// Which pages of the KV cache hold which tokens of which sequence.
//
// A page is the keys and values of 64 tokens in every layer. Pages are taken as sequences grow and counted by how many
// sequences refer to them: a fork shares them all, and the first to append to a shared, partly filled page gets a copy.
// The memory of the pages is the executor's; this class knows their numbers alone.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/backend.h"

namespace nt {

class KvCache {
 public:
  static constexpr int kPageTokens = 64;

  // n_ctx: tokens a sequence may hold, up to 2³⁰; capacity: tokens all may hold together, 1 or more, rounded up to
  // pages.
  KvCache(int n_seq, int n_ctx, int64_t capacity);

  int n_seq() const { return static_cast<int>(sequences_.size()); }
  int n_ctx() const { return n_ctx_; }
  int64_t capacity() const { return static_cast<int64_t>(max_pages_) * kPageTokens; }
  int64_t allocated_tokens() const { return static_cast<int64_t>(references_.size() - released_.size()) * kPageTokens; }
  int length(int seq) const { return sequences_[static_cast<size_t>(seq)].length; }
  const int32_t* page_table(int seq) const { return sequences_[static_cast<size_t>(seq)].pages.data(); }

  // Makes room for growth[s] more tokens in each sequence s, all or nothing; lengths stay as they are.
  // Throws Error: NT_CONTEXT_FULL with the numbers (used: of a full cache, its taken pages), NT_OUT_OF_MEMORY.
  void reserve(const std::vector<int>& growth, Executor& executor);

  // The reserved tokens hold what they should: they count from now on.
  void commit(const std::vector<int>& growth);

  // Gives back the pages that no token of a sequence is on.
  void release_unused(Executor& executor);

  void truncate(int seq, int n, Executor& executor);

  // `to` is empty; n is at most from's length.
  void fork(int from, int to, int n);

 private:
  struct Sequence {
    std::vector<int32_t> pages;
    int length = 0;
  };

  static int pages_for(int tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }
  bool shares_tail(const Sequence& s) const;
  // Pages that the growing sequences share and have to copy: all who refer to one, but for the last.
  int64_t copies_needed(const std::vector<int>& growth) const;
  int64_t used_pages() const { return static_cast<int64_t>(references_.size() - free_.size() - released_.size()); }
  int32_t take(Executor& executor);
  void drop(int32_t page);
  void shrink(Sequence& s, int n_pages);
  void trim(Executor& executor);

  int n_ctx_;
  int max_pages_;
  std::vector<Sequence> sequences_;
  std::vector<int32_t> references_;  // of each page that there ever was
  std::vector<int32_t> free_;        // without references, kept for the next sequence that grows
  std::vector<int32_t> released_;    // without references and without memory
};

}  // namespace nt

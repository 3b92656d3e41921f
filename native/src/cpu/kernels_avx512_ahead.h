// AVX-512: which rows of weights a product takes together, and what it fetches meanwhile.
#pragma once

#include "cpu/kernels_avx512_unpack.h"
#include "cpu/matmul_blocks.h"

namespace nt::cpu {
namespace {

// A row's chunk: its bytes, and the lines of the cache that it may lie in.
template <class F>
constexpr int kBytes = static_cast<int>(sizeof(typename F::Block)) * kChunk / F::kValues;
template <class F>
constexpr int kLines = kBytes<F> / 64 + 1;
// From one of so many lines to the next, no byte left out.
template <class F>
constexpr int kStep = (kBytes<F> + kLines<F> - 1) / kLines<F>;

// What to fetch meanwhile.
struct Ahead : Stretches {
  size_t again = 8192;  // what is fetched a second time lies so far behind
  size_t rewind = 0;    // from the end of a chunk's stretches to the next chunk

  // With few columns: stretch after stretch, a line with each call. Into the first-level cache, since prefetches into
  // the second are dropped when many are under way (Zen 5), and twice, the first time so far ahead that the hardware
  // goes on from there. (Zen 5, a column of Q4_K from memory, where reading in order makes 46 GB/s: prefetcht1 32 GB/s,
  // in some processes 20; once 36; twice 43.)
  template <class F, bool kTwice = true>
  NT_INLINE void fetch_next(int line, V after) {
    const auto* p = reinterpret_cast<const char*>(address) + line * kStep<F>;
    if (kTwice) asm volatile("prefetcht0 %0" : : "m"(p[again]), "v"(after));
    asm volatile("prefetcht0 %0" : : "m"(*p), "v"(after));
    if (line == kLines<F> - 1) address += stride;
  }

  // Into the second-level cache, or from there into the first. Not before `after` is there: a prefetch depends on
  // nothing, and gcc put all of them at the function's start, more than the queue of misses holds (Zen 5, Q6_K from
  // memory: 8 columns 1640 cycles, so 730; 1 column 870, so 430).
  NT_INLINE void fetch(int stretch, int line, V after) const {
    asm volatile("prefetcht1 %0" : : "m"(*at(stretch, line)), "v"(after));
  }
  NT_INLINE void fetch_first(int stretch, int line, V after) const {
    asm volatile("prefetcht0 %0" : : "m"(*at(stretch, line)), "v"(after));
  }

  NT_INLINE const char* at(int stretch, int line) const {
    const uintptr_t stretch_at = address + static_cast<size_t>(stretch) * stride;
    return reinterpret_cast<const char*>(stretch_at + static_cast<size_t>(line) * 64);
  }
};

// Keeps the code that follows, of a product with n_cols columns, in the second-level cache. Code runs from the
// first-level cache, which does not count as a use in the second: weights drive it out of that, and with it out of the
// first, and Zen 5 waits for about 55 ns for each line. (From memory, G multiply-adds/s: 4 and 8 columns of Q4_K 237,
// so 287 and 302, so 355; of Q6_K 137, so 180 and 185, so 258. That is nearly what is made from the cache. prefetcht1
// sometimes helps nothing.)
NT_INLINE void keep_code(int n_cols) {
  const char* here;
  asm volatile("lea (%%rip), %0" : "=r"(here));
  const int n_code = 8000 + 1200 * n_cols;  // at most: a dot has 11 bytes
  for (int i = 0; i < n_code; i += 64) _mm_prefetch(here + i, _MM_HINT_T0);
}

// Whether it is time to, as the group from `row` on comes at chunks from i on, n_bytes in all: every quarter of the
// cache that Zen 4 and Zen 5 have.
template <class F>
NT_INLINE bool is_time_for_code(const Matmul& m, int row, int i, size_t n_bytes) {
  return stretches_ahead<F>(m, row, 1, i).address % (256 << 10) < n_bytes;
}

// Which rows a group has, where groups are taken one at a time: row, row + step, …
struct Group {
  int row, step;
};

NT_INLINE Group group_at(const Matmul& m, int row) {
  if (!m.rows_apart || row + kTileRows > m.n_rows) return {row, 1};
  return {row / kTileRows, m.n_rows / kTileRows};
}

template <class F>
NT_INLINE Rows rows_of(const Matmul& m, Group g, int i) {
  return {m.rows + static_cast<size_t>(g.row) * m.row_bytes + static_cast<size_t>(i * kBytes<F>),
          static_cast<size_t>(g.step) * m.row_bytes};
}

// A group that lacks rows is copied and filled up with zeros.
template <class F>
inline Rows whole_rows_of(const Matmul& m, Group g, int i, uint8_t* copy) {
  const Rows r = rows_of<F>(m, g, i);
  if (g.step > 1 || g.row + kTileRows <= m.n_rows) return r;
  const size_t n = bytes_of<F>(static_cast<size_t>(chunk_values(m.n_values, i)));
  std::memset(copy, 0, kTileRows * n);
  for (int j = 0; g.row + j < m.n_rows; ++j) std::memcpy(copy + j * n, r.p + j * r.stride, n);
  return {copy, n};
}

// What such a group, the one that comes at `row`, fetches from chunk i on. Rows that lie apart are as many streams,
// each of which goes on with the next group and lies in pages of its own, where Intel's hardware follows it: more of
// them are under way than of one stream. (Ice Lake reads 12.5 GB/s a thread in order, 15 as 8 or 16 streams; G
// multiply-adds/s from memory, rows next to each other and apart: 1 and 4 columns of Q4_K 21, so 30 and 73, so 95; of
// Q6_K 14, so 20 and 53, so 77. To fetch each line twice takes 3 % longer.)
template <class F, bool kApart>
NT_INLINE Ahead ahead_of(const Matmul& m, int row, int i) {
  constexpr size_t kBefore = 512;
  if (!kApart) return {stretches_ahead<F>(m, row, 1, i)};
  const Rows r = rows_of<F>(m, group_at(m, row), i);
  return {{reinterpret_cast<uintptr_t>(r.p) + kBefore, r.stride}, kBefore, kTileRows * r.stride - kBytes<F>};
}

// What to fetch for a tile: from memory what lies ahead, and into the first-level cache what the tile will hold next
// (Zen 5, Q6_K from memory, 16 columns of 14,336 values: 245, so 269 G multiply-adds/s), which also makes up for the
// prefetches that Zen 5 drops when many are under way.
struct Sources {
  Ahead ahead, next;
};

// What a product of G tiles fetches meanwhile: nothing, or `lines` of every n-th stretch, n a power of two.
struct NoShare {
  template <int G>
  NT_INLINE void fetch(int, const V*) const {}
};

struct Share {
  const Sources* sources;
  int lines, part, n_parts;

  template <int G>
  NT_INLINE void fetch(int stretch, const V* after) const {
    if ((stretch & (n_parts - 1)) != part) return;
    for (int line = 0; line < lines; ++line) {
      NT_UNROLL
      for (int g = 0; g < G; ++g) {
        sources[g].ahead.fetch(stretch, line, after[g]);
        sources[g].next.fetch_first(stretch, line, after[g]);
      }
    }
  }
};

// For one group whose rows lie apart: lines of each row, once. See ahead_of().
template <class F>
struct ShareApart {
  Ahead ahead;

  template <int G>
  NT_INLINE void fetch(int stretch, const V* after) const {
    NT_UNROLL
    for (int line = 0; line < kLines<F>; ++line) ahead.fetch_first(stretch, line, after[0]);
  }
};

}  // namespace
}  // namespace nt::cpu

// AVX-512 VNNI: matrix products, for the files that instantiate them. Each chunk of a group of 16 rows is unpacked once
// and multiplied with every column: with few straight from registers, with more from tiles in the first-level cache.
//
// Zen 5 dots twice a cycle and loads twice, however short: a dot may take its four values of a column from memory, but
// each load beside it takes half a cycle (one of 16 bytes for four dots: 1.22 times as long). So two tiles share a
// column's loads, and rows come 32 bytes at a time where that is faster.
#pragma once

#include "cpu/kernels_avx512_pairs.h"
#include "cpu/kernels_avx512_stream.h"
#include "cpu/matmul_blocks.h"

namespace nt::cpu {
namespace {

constexpr int kMaxTiles = 4;   // that are kept at a time: 24 KiB, and a column's chunk is read from the second-level
                               // cache once for all of them
constexpr int kMaxGroups = 8;  // groups of 16 rows that take a chunk of all columns while it is in the second-level
                               // cache, where 256 columns take 96 KiB: what lies beyond is other programs', too
constexpr int kBlock = 8;      // columns that share a load of weights: 8 chains hide the dot's latency, and 8 integer
                               // and 8 float sums leave registers for weights and scales

// Whether the dots of a chunk's sub-blocks are summed up in integers, where scales are small ones times a float for
// all: as many multiplications, and exact, so that Q6_K's bias may be taken off before or after. Where there is no bias
// floats are faster: integers are added by the pipes that multiply, too (Zen 5, 256 columns of Q4_K: 400 and 384 G
// multiply-adds/s).
template <class F>
constexpr bool kIntegerScales = false;
template <>
constexpr bool kIntegerScales<Q6_K> = true;

// What a product depends on: formats that agree in it share the code. Mins are taken off with float sums of the
// activations, or, where both are small integers, by dots of pairs of sub-blocks.
template <int Sub, bool Bias, bool HasMin, bool IntegerScales, int Activation>
struct Shape {
  static constexpr int kSub = Sub, kActivation = Activation, kGroups = Sub / 4;
  static constexpr bool kBias = Bias, kIntegerScales = IntegerScales;
  static constexpr bool kIntegerMins = HasMin && Sub == 32 && Activation == kChunk,
                        kFloatMins = HasMin && !kIntegerMins;
};

template <class F, bool IntegerScales = kIntegerScales<F>>
using ShapeOf = Shape<F::kSub, F::kBias != 0, F::kHasMin, IntegerScales, kActivationBlock<F>>;

// What the dots of a column's chunk begin with and are corrected by: by sub-block.
struct alignas(64) Sums {
  int32_t start[16];  // −bias · Σa: what the bias of the weights adds, taken off in advance
  float total[16];    // Σa, for float mins
};

// Of 16 rows, by column: next to each other, or their lines would fall on a few of the cache's sets.
using GroupSums = float[kMaxColumns][kTileRows];

struct alignas(64) Scratch {
  WeightTile tile[kMaxTiles];
  Sums sums[kMaxColumns];
  GroupSums out[kMaxGroups];
  uint8_t rows[kTileRows * kChunk * sizeof(float)];  // a chunk of a group that lacks rows, filled up
};
static_assert(sizeof(Scratch) <= kScratchBytes);

// Products of C columns and 16 rows of a chunk. The order of a column's additions of floats does not depend on C, nor
// on whether the weights come from a tile or straight from being unpacked.
template <class S, int C>
struct Products {
  const ActivationChunk* a;
  const Sums* sums;
  V total[C];     // with integer scales
  __m512 sum[C];  // with others

  Products() = default;
  NT_INLINE Products(const ActivationChunk* columns, const Sums* s) : a(columns), sums(s) {
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      total[c] = _mm512_setzero_si512();
      sum[c] = _mm512_setzero_ps();
    }
  }

  // What the dot of sub-block s begins with: where there is a bias, what takes it off.
  NT_INLINE V start(int s, int c) const {
    return S::kBias ? _mm512_set1_epi32(sums[c].start[s]) : _mm512_setzero_si512();
  }

  // Group k of four weights a row, with column c.
  NT_INLINE V dot(V before, V weights, int k, int c) const {
    // gcc loads the four bytes by an instruction of their own, and these are half of all then: 4 to 6 % of Q6_K.
    asm("vpdpbusd %2%{1to16%}, %1, %0"
        : "+v"(before)
        : "v"(weights), "m"(reinterpret_cast<const int8_t(&)[4]>(a[c].q[4 * k])));
    return before;
  }

  // The same for pairs of words: Σ pair(j) · Σa of sub-blocks 2j and 2j + 1, by column.
  template <class Pair>
  NT_INLINE void dot_sums(const Pair& pair, V* out) const {
    NT_UNROLL
    for (int c = 0; c < C; ++c) out[c] = _mm512_setzero_si512();
    NT_UNROLL
    for (int j = 0; j < kChunk / S::kSub / 2; ++j) {
      const V p = pair(j);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const int16_t* of_pair = (S::kSub == 16 ? a[c].sum16 : a[c].sum32) + 2 * j;
        asm("vpdpwssd %2%{1to16%}, %1, %0"
            : "+v"(out[c])
            : "v"(p), "m"(reinterpret_cast<const int16_t(&)[2]>(*of_pair)));
      }
    }
  }

  // Adds the dot of a sub-block, scaled.
  NT_INLINE void add(V dot, __m512 scale, int c) { sum[c] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, sum[c]); }
  NT_INLINE void add(V dot, V scale, int c) {
    // gcc would add up other pairs first, and keep all of them until then.
    asm("vpaddd %1, %0, %0" : "+v"(total[c]) : "v"(_mm512_mullo_epi32(dot, scale)));
  }

  // Adds the dot of sub-block s.
  NT_INLINE void add(V dot, const WeightTile& t, int s, int c) {
    if constexpr (S::kIntegerScales) {
      add(dot, t.s(s), c);
    } else if constexpr (S::kActivation == 32) {
      __m512 term = _mm512_mul_ps(_mm512_cvtepi32_ps(dot), _mm512_load_ps(t.scale[s]));
      if (S::kFloatMins) term = _mm512_fnmadd_ps(_mm512_load_ps(t.min[s]), _mm512_set1_ps(a[c].sum32f[s]), term);
      sum[c] = _mm512_fmadd_ps(term, _mm512_set1_ps(a[c].scale[s]), sum[c]);
    } else {
      add(dot, _mm512_load_ps(t.scale[s]), c);
      if (S::kFloatMins) {
        sum[c] = _mm512_fnmadd_ps(_mm512_load_ps(t.min[s]), _mm512_set1_ps(sums[c].total[s]), sum[c]);
      }
    }
  }

  // Adds the chunk to the sums of the chunks before it. Scales are a WeightTile or those of a Stream.
  template <class Scales>
  NT_INLINE void finish(const Scales& scales, float* out) {
    if constexpr (S::kIntegerScales) {
      NT_UNROLL
      for (int c = 0; c < C; ++c) sum[c] = _mm512_mul_ps(_mm512_cvtepi32_ps(total[c]), scales.d());
    }
    if constexpr (S::kIntegerMins) {
      V m[C];
      dot_sums([&](int j) NT_INLINE_LAMBDA { return scales.m(j); }, m);
      NT_UNROLL
      for (int c = 0; c < C; ++c) sum[c] = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(m[c]), scales.d_min(), sum[c]);
    }
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      float* o = out + c * kTileRows;
      const __m512 before = _mm512_load_ps(o), scale = _mm512_set1_ps(a[c].scale[0]);
      _mm512_store_ps(o, S::kActivation == 32 ? _mm512_add_ps(before, sum[c]) : _mm512_fmadd_ps(sum[c], scale, before));
    }
  }
};

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

// From G tiles, to the sums of G groups: with two a column's values are loaded once for both.
template <class S, int G, int C, class Fetch>
void multiply_tile(const WeightTile* tile, const Fetch& share, const ActivationChunk* a, const Sums* sums, int n_values,
                   GroupSums* out, int first_column) {
  Products<S, C> p[G];
  NT_UNROLL
  for (int g = 0; g < G; ++g) p[g] = Products<S, C>(a, sums);
  const int n_sub = n_values / S::kSub;
  for (int s = 0; s < n_sub; ++s) {
    V dot[G][C];
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      NT_UNROLL
      for (int g = 0; g < G; ++g) dot[g][c] = p[g].start(s, c);
    }
    NT_UNROLL
    for (int i = 0; i < S::kGroups; ++i) {
      const int k = s * S::kGroups + i;
      V w[G];
      NT_UNROLL
      for (int g = 0; g < G; ++g) w[g] = load(tile[g].q[k]);
      if (i % 4 == 0) share.template fetch<G>(k / 4, w);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        if constexpr (G == 1) {
          dot[0][c] = p[0].dot(dot[0][c], w[0], k, c);
        } else {
          int32_t four;
          std::memcpy(&four, a[c].q + 4 * k, 4);
          const V x = _mm512_set1_epi32(four);
          // gcc copies the sums from one register to the next between dots that it knows.
          NT_UNROLL
          for (int g = 0; g < G; ++g) asm("vpdpbusd %2, %1, %0" : "+v"(dot[g][c]) : "v"(w[g]), "v"(x));
        }
      }
    }
    NT_UNROLL
    for (int g = 0; g < G; ++g) {
      NT_UNROLL
      for (int c = 0; c < C; ++c) p[g].add(dot[g][c], tile[g], s, c);
    }
  }
  NT_UNROLL
  for (int g = 0; g < G; ++g) p[g].finish(tile[g], out[g][first_column]);
}

// From registers, with the scales in the tile.
template <class F, int C>
struct ToDots {
  using S = ShapeOf<F>;
  static constexpr bool kUnrolled = true;

  WeightTile& tile;
  Products<S, C> p;
  Ahead ahead;
  V dots[Unpack<F>::kTogether][C];  // by sub-block

  NT_INLINE void put(int first, int i, V v) {
    if (i % 4 < kLines<F>) ahead.template fetch_next<F>(i % 4, v);
    for (int line = 4; i % 4 == 3 && line < kLines<F>; ++line) ahead.template fetch_next<F>(line, v);
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      V& d = dots[i / S::kGroups][c];
      if (i % S::kGroups == 0) d = p.start((first + i) / S::kGroups, c);
      d = p.dot(d, v, first + i, c);
    }
  }

  NT_INLINE void finish(int first) {
    NT_UNROLL
    for (int j = 0; j < Unpack<F>::kTogether; ++j) {
      NT_UNROLL
      for (int c = 0; c < C; ++c) p.add(dots[j][c], tile, first / S::kGroups + j, c);
    }
  }
};

// Calls body.run<C>(c) for runs of up to kBlock columns.
template <class Body>
inline void for_columns(int n_cols, const Body& body) {
  int c = 0;
  for (; c + kBlock <= n_cols; c += kBlock) body.template run<kBlock>(c);
  switch (n_cols - c) {
    case 1:
      return body.template run<1>(c);
    case 2:
      return body.template run<2>(c);
    case 3:
      return body.template run<3>(c);
    case 4:
      return body.template run<4>(c);
    case 5:
      return body.template run<5>(c);
    case 6:
      return body.template run<6>(c);
    case 7:
      return body.template run<7>(c);
  }
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

template <class F>
inline void prepare_sums(const ActivationChunk* a, int n_cols, Sums* sums) {
  for (int c = 0; c < n_cols; ++c) {
    // What lies behind sum32 belongs to the chunk, too.
    const int16_t* sum = F::kSub == 16 ? a[c].sum16 : a[c].sum32;
    const V s = _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(sum)));
    if (F::kBias) store(sums[c].start, _mm512_mullo_epi32(s, _mm512_set1_epi32(-F::kBias)));
    if (ShapeOf<F>::kFloatMins && kActivationBlock<F> == kChunk) _mm512_store_ps(sums[c].total, _mm512_cvtepi32_ps(s));
  }
}

// From a stream: a sink of Stream::chunk().
template <class F, bool IntegerScales, bool kApart, int C>
struct StreamToDots {
  using S = ShapeOf<F, IntegerScales>;
  using Scales = typename Stream<F>::Scales;

  Products<S, C> p;
  Ahead& ahead;
  V dots[C];

  NT_INLINE StreamToDots(const ActivationChunk* a, Ahead& next) : p(a, nullptr), ahead(next) {}

  NT_INLINE void put(int k, V v) {
    if (k % 4 < kLines<F>) ahead.template fetch_next<F, !kApart>(k % 4, v);
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      if (k % S::kGroups == 0) dots[c] = _mm512_setzero_si512();
      dots[c] = p.dot(dots[c], v, k, c);
    }
  }

  NT_INLINE void finish(const Scales& scales, int sub) {
    const auto scale = scale_of(scales, sub);
    NT_UNROLL
    for (int c = 0; c < C; ++c) p.add(dots[c], scale, c);
  }

  static NT_INLINE auto scale_of(const Scales& scales, int sub) {
    if constexpr (IntegerScales) {
      return scales.s(sub);
    } else {
      return scales.scale(sub);
    }
  }

  // Half as many loads as if each dot began with what the bias adds.
  NT_INLINE void finish_chunk(const Scales& scales, float* out) {
    if constexpr (S::kBias) {
      static_assert(IntegerScales, "a bias is taken off integers");
      V biases[C];
      p.dot_sums([&](int j) NT_INLINE_LAMBDA { return scales.pair(j); }, biases);
      NT_UNROLL
      for (int c = 0; c < C; ++c) p.add(biases[c], _mm512_set1_epi32(-F::kBias), c);
    }
    p.finish(scales, out);
  }
};

// From a PairStream: its sink. More than four columns at a time would not leave registers for weights and sums.
template <int C>
struct PairsToDots {
  using Scales = PairScales;
  static constexpr int kRun = 4, kRuns = (C + kRun - 1) / kRun;

  Products<ShapeOf<Q4_K>, C> p;
  Ahead& ahead;
  V dots[kRun][2];

  NT_INLINE PairsToDots(const ActivationChunk* a, Ahead& next) : p(a, nullptr), ahead(next) {}

  NT_INLINE void put(int run, int part, int k, V a, V b) {
    static_assert(kLines<Q4_K> == 3, "two lines with one pair, and one with the next");
    if (run == 0) ahead.template fetch_next<Q4_K, false>(k % 2, a);
    if (run == 0 && k % 2 == 1) ahead.template fetch_next<Q4_K, false>(2, a);
    NT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      const int c = run * kRun + i;
      if (c >= C) continue;
      int64_t eight;
      std::memcpy(&eight, p.a[c].q + 64 * part + 8 * k, 8);
      const V x = _mm512_set1_epi64(eight);
      if (k % 4 == 0) dots[i][0] = dots[i][1] = _mm512_setzero_si512();
      asm("vpdpbusd %2, %1, %0" : "+v"(dots[i][0]) : "v"(a), "v"(x));
      asm("vpdpbusd %2, %1, %0" : "+v"(dots[i][1]) : "v"(b), "v"(x));
    }
  }

  // A row has two dots next to each other, of four values each time.
  NT_INLINE void finish(int run, const Scales& scales, int sub) {
    const auto scale = scales.scale(sub);
    NT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      if (run * kRun + i >= C) continue;
      const __m512 a = _mm512_castsi512_ps(dots[i][0]), b = _mm512_castsi512_ps(dots[i][1]);
      const V even = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88));
      const V odd = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xdd));
      p.add(_mm512_add_epi32(even, odd), scale, run * kRun + i);
    }
  }

  NT_INLINE void finish_chunk(const Scales& scales, float* out) { p.finish(scales, out); }
};

// All chunks of 16 rows with runs of columns, of which the first fetches the next rows, the others their own once more.
// A group that lacks rows does without: a call that copied them would have all vectors saved before it.
template <class F, bool IntegerScales, bool kApart>
struct MultiplyStream {
  const Matmul& m;
  int row;
  Scratch* s;

  template <int C>
  void run(int c) const {
    const int n = n_chunks(m.n_values);
    Rows now = rows_of<F>(m, group_at(m, row), 0);
    // Another run of columns reads its own rows once more.
    Ahead ahead = ahead_of<F, kApart>(m, c == 0 || kApart ? row : row - kTileRows, 0);
    if (is_time_for_code<F>(m, row, 0, kTileRows * m.row_bytes)) keep_code(C);
    const ActivationChunk* a = m.q + c;
    // Integers come with AMX, and its CPUs load twice a cycle.
    constexpr bool kPairs = kApart && !IntegerScales && std::is_same_v<F, Q4_K>;
    using Sink = std::conditional_t<kPairs, PairsToDots<C>, StreamToDots<F, IntegerScales, kApart, C>>;
    typename Sink::Scales scales[2];
    std::conditional_t<kPairs, PairStream, Stream<F>> stream(now, scales[0]);
    for (int i = 0; i < n; ++i, a += m.q_stride) {
      const Rows next = i + 1 < n ? now.at(static_cast<size_t>(kBytes<F>)) : now;
      Sink sink(a, ahead);
      stream.chunk(now, next, scales[i % 2], scales[(i + 1) % 2], sink);
      sink.finish_chunk(scales[i % 2], s->out[0][c]);
      ahead.address -= ahead.rewind;
      now = next;
    }
  }
};

// Writes the sums of n_cols columns and some groups of rows next to each other.
inline void write_out(const Matmul& m, int row, int n_groups, int col, int n_cols, const GroupSums* sums) {
  for (int c = 0; c < n_cols; ++c) {
    for (int g = 0; g < n_groups; ++g) {
      const int left = m.n_rows - (row + g * kTileRows);
      const __mmask16 mask = first_lanes(left);
      float* out = m.out + static_cast<size_t>(col + c) * m.out_stride + row + g * kTileRows;
      _mm512_mask_storeu_ps(out, mask, _mm512_load_ps(sums[g][c]));
    }
  }
}

// The same of a group that was taken by itself.
inline void write_group(const Matmul& m, Group g, int n_cols, const GroupSums& sums) {
  if (g.step == 1) return write_out(m, g.row, 1, 0, n_cols, &sums);
  const V row = _mm512_mullo_epi32(_mm512_set1_epi32(g.step),
                                   _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  for (int c = 0; c < n_cols; ++c) {
    float* out = m.out + static_cast<size_t>(c) * m.out_stride + g.row;
    _mm512_i32scatter_ps(out, row, _mm512_load_ps(sums[c]), sizeof(float));
  }
}

// The columns of a chunk.
struct Columns {
  const ActivationChunk* a;
  const Sums* sums;
  int n_values;
};

// Tiles that are there with all columns, of which the first blocks fetch. (Zen 5, Q6_K with 256 columns: 334 G
// multiply-adds/s with one tile at a time, 369 with two.)
template <class F>
struct MultiplyTiles {
  using S = ShapeOf<F>;
  static constexpr int kPair = 4;  // columns that two tiles take at a time: 8 chains, as with one tile

  const WeightTile* tile;
  const Sources* sources;
  int n_tiles, n_cols;
  GroupSums* out;
  Columns x;

  template <int G, int C, class Fetch>
  void run(int i, int c, const Fetch& share) const {
    multiply_tile<S, G, C>(tile + i, share, x.a + c, x.sums + c, x.n_values, out + i, c);
  }

  template <int C>
  void run_pair(int i, int c) const {
    const int part = c / kPair, n_parts = n_cols >= 4 * kPair ? 4 : n_cols >= 2 * kPair ? 2 : 1;
    if (part < n_parts) {
      run<2, C>(i, c, Share{sources + i, kLines<F>, part, n_parts});
    } else {
      run<2, C>(i, c, NoShare());
    }
  }

  template <int C>
  void run(int c) const {
    int i = 0;
    for (; i + 2 <= n_tiles; i += 2) {
      if constexpr (C <= kPair) {
        run_pair<C>(i, c);
      } else {
        run_pair<kPair>(i, c);
        run_pair<C - kPair>(i, c + kPair);
      }
    }
    if (i == n_tiles) return;
    if (c == 0) {
      run<1, C>(i, c, Share{sources + i, kLines<F>, 0, 1});
    } else {
      run<1, C>(i, c, NoShare());
    }
  }
};

// A chunk of a group straight from being unpacked.
template <class F>
struct MultiplyRows {
  Rows rows;
  Ahead ahead;
  bool is_time_for_code;
  Scratch* s;
  Columns x;

  template <int C>
  NT_NOINLINE void run(int c) const {
    if (is_time_for_code) keep_code(C);
    const Unpack<F> u(rows, x.n_values, s->tile);
    ToDots<F, C> sink{s->tile[0], Products<ShapeOf<F>, C>(x.a + c, x.sums + c), ahead, {}};
    u.values(sink);
    sink.p.finish(s->tile[0], s->out[0][c]);
  }
};

inline void clear(GroupSums* sums, int n_groups, int n_cols) {
  for (int g = 0; g < n_groups; ++g) std::memset(sums[g], 0, static_cast<size_t>(n_cols) * sizeof sums[g][0]);
}

// Whether weights come from a stream: for up to max_cols columns and a whole group of rows.
inline bool is_streamed(const Matmul& m, int row, int max_cols) {
  return m.n_cols <= max_cols && row + kTileRows <= m.n_rows;
}

// One whole group of rows with all columns.
template <class F, bool IntegerScales>
inline void multiply_stream(const Matmul& m, int row, Scratch* s) {
  clear(s->out, 1, m.n_cols);
  if (m.rows_apart) {
    for_columns(m.n_cols, MultiplyStream<F, IntegerScales, true>{m, row, s});
  } else {
    for_columns(m.n_cols, MultiplyStream<F, IntegerScales, false>{m, row, s});
  }
  write_group(m, group_at(m, row), m.n_cols, s->out[0]);
}

template <class F>
inline Columns columns_at(const Matmul& m, int i, int col, int n_cols, Sums* sums) {
  const ActivationChunk* a = m.q + i * m.q_stride + col;
  prepare_sums<F>(a, n_cols, sums);
  return {a, sums, chunk_values(m.n_values, i)};
}

// One group with all columns, without tiles.
template <class F>
void multiply_group(const Matmul& m, int row, Scratch* s) {
  const Group group = group_at(m, row);
  clear(s->out, 1, m.n_cols);
  for (int i = 0; i < n_chunks(m.n_values); ++i) {
    const Columns x = columns_at<F>(m, i, 0, m.n_cols, s->sums);
    const bool code = is_time_for_code<F>(m, row, i, kTileRows * kBytes<F>);
    const Ahead ahead = m.rows_apart ? ahead_of<F, true>(m, row, i) : ahead_of<F, false>(m, row, i);
    for_columns(m.n_cols, MultiplyRows<F>{whole_rows_of<F>(m, group, i, s->rows), ahead, code, s, x});
  }
  write_group(m, group, m.n_cols, s->out[0]);
}

// Some groups with some columns, from tiles.
template <class F>
void multiply_groups(const Matmul& m, int row, int n_groups, int col, int n_cols, Scratch* s) {
  clear(s->out, n_groups, n_cols);
  for (int i = 0; i < n_chunks(m.n_values); ++i) {
    const Columns x = columns_at<F>(m, i, col, n_cols, s->sums);
    for (int first = 0; first < n_groups; first += kMaxTiles) {
      const int n_tiles = smaller(kMaxTiles, n_groups - first);
      Sources sources[kMaxTiles];
      for (int t = 0; t < n_tiles; ++t) {
        const int r = row + (first + t) * kTileRows;
        sources[t] = {{stretches_ahead<F>(m, r, n_groups, i)}, {next_chunk<F>(m, r, n_groups, i)}};
        fill_tile<F>(whole_rows_of<F>(m, {r, 1}, i, s->rows), x.n_values, &s->tile[t]);
      }
      for_columns(n_cols, MultiplyTiles<F>{s->tile, sources, n_tiles, n_cols, s->out + first, x});
    }
  }
  write_out(m, row, n_groups, col, n_cols, s->out);
}

template <class F>
void matmul_rows(const Matmul& m, int row, int n_groups, int col, int n_cols, Scratch* s) {
  if constexpr (kStreamColumns<F> != 0) {
    if (is_streamed(m, row, stream_columns<F>(m))) return multiply_stream<F, kIntegerScales<F>>(m, row, s);
  }
  if constexpr (Unpack<F>::kDirect != 0) {
    if (m.n_cols <= Unpack<F>::kDirect) return multiply_group<F>(m, row, s);
  }
  multiply_groups<F>(m, row, n_groups, col, n_cols, s);
}

template <class F>
void matmul(const Matmul& m) {
  auto* s = static_cast<Scratch*>(m.scratch);
  const int without_tiles = kStreamColumns<F> != 0 ? stream_columns<F>(m) : Unpack<F>::kDirect;
  const int n_groups_at_once = m.n_cols > kFewColumns ? kMaxGroups : m.n_cols > without_tiles ? 2 : 1;
  for_blocks(m, n_groups_at_once, [&](int row, int n_groups, int col, int n_cols) NT_INLINE_LAMBDA {
    matmul_rows<F>(m, row, n_groups, col, n_cols, s);
  });
}

}  // namespace
}  // namespace nt::cpu

// AVX-512 VNNI: matrix products, for the files that instantiate them. Each chunk of a group of 16 rows is unpacked once
// and multiplied with every column: with few straight from registers, with more from tiles in the first-level cache.
//
// Zen 5 dots twice a cycle and loads twice, however short: a dot may take its four values of a column from memory, but
// each load beside it takes half a cycle (one of 16 bytes for four dots: 1.22 times as long). So two tiles share a
// column's loads, and rows come 32 bytes at a time where that is faster.
#pragma once

#include "cpu/kernels_avx512_pairs.h"
#include "cpu/kernels_avx512_stream.h"

namespace nt::cpu {
namespace {

constexpr int kMaxTiles = 4;   // that are kept at a time: 24 KiB, and a column's chunk is read from the second-level
                               // cache once for all of them
constexpr int kMaxGroups = 8;  // groups of 16 rows that take a chunk of all columns while it is in the second-level
                               // cache, where 256 columns take 128 KiB: what lies beyond is other programs', too

// Formats whose scales are integers are multiplied in pairs of vectors.
template <class F>
using TileOf = std::conditional_t<kIntegerScales<F>, PairTile, WeightTile>;

struct alignas(64) Scratch {
  union {
    WeightTile tile[kMaxTiles];
    PairTile pairs[kMaxTiles];
  };
  Sums sums[kMaxColumns];
  GroupSums out[kMaxGroups];
  uint8_t rows[kTileRows * kChunk * sizeof(float)];  // a chunk of a group that lacks rows, filled up
};
static_assert(sizeof(Scratch) <= kScratchBytes);

// From G tiles, to the sums of G groups: with two a column's values are loaded once for both.
template <class S, int G, int C, class Fetch>
void multiply_tile(const WeightTile* tile, const Fetch& share, const Columns& x, GroupSums* out, int first_column) {
  Products<S, C> p[G];
  NT_UNROLL
  for (int g = 0; g < G; ++g) p[g] = Products<S, C>(x.a, x.sums);
  const int n_sub = x.n_values / S::kSub;
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
          std::memcpy(&four, x.a[c].q + 4 * k, 4);
          const V values = _mm512_set1_epi32(four);
          // gcc copies the sums from one register to the next between dots that it knows.
          NT_UNROLL
          for (int g = 0; g < G; ++g) asm("vpdpbusd %2, %1, %0" : "+v"(dot[g][c]) : "v"(w[g]), "v"(values));
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
template <class F, bool kApart, int C>
struct StreamToDots {
  using S = ShapeOf<F>;
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
    const V scale = scales.s(sub);
    NT_UNROLL
    for (int c = 0; c < C; ++c) p.add(dots[c], scale, c);
  }

  // Half as many loads as if each dot began with what the bias adds.
  NT_INLINE void finish_chunk(const Scales& scales, float* out) {
    if constexpr (S::kBias) {
      V biases[C];
      p.dot_sums([&](int j) NT_INLINE_LAMBDA { return scales.pair(j); }, biases);
      NT_UNROLL
      for (int c = 0; c < C; ++c) p.add(biases[c], _mm512_set1_epi32(-F::kBias), c);
    }
    p.finish(scales, out);
  }
};

// All chunks of 16 rows with runs of columns, of which the first fetches the next rows, the others their own once more.
// A group that lacks rows does without: a call that copied them would have all vectors saved before it.
template <class F, bool kApart>
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
    constexpr bool kPairs = kApart && std::is_same_v<F, Q4_K>;
    using Sink = std::conditional_t<kPairs, PairsToDots<C>, StreamToDots<F, kApart, C>>;
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

// Tiles that are there with all columns, of which the first blocks fetch. (Zen 5, Q6_K with 256 columns: 334 G
// multiply-adds/s with one tile at a time, 369 with two.)
template <class F>
struct MultiplyTiles {
  using S = ShapeOf<F>;
  static constexpr int kPair = 4;  // columns that two tiles take at a time: 8 chains, as with one tile

  const TileOf<F>* tile;
  const Sources* sources;
  int n_tiles, n_cols;
  GroupSums* out;
  Columns x;

  template <int G, int C, class Fetch>
  void run(int i, int c, const Fetch& share) const {
    multiply_tile<S, G, C>(tile + i, share, x.from(c), out + i, c);
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

// The tile of a group whose rows lie apart.
template <class F>
struct MultiplyTileApart {
  const TileOf<F>* tile;
  Ahead ahead;
  GroupSums* out;
  Columns x;

  template <int C>
  void run(int c) const {
    if (c == 0) {
      multiply_tile<ShapeOf<F>, 1, C>(tile, ShareApart<F>{ahead}, x, out, 0);
    } else {
      multiply_tile<ShapeOf<F>, 1, C>(tile, NoShare(), x.from(c), out, c);
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

// Whether weights come from a stream: for up to max_cols columns and a whole group of rows.
inline bool is_streamed(const Matmul& m, int row, int max_cols) {
  return m.n_cols <= max_cols && row + kTileRows <= m.n_rows;
}

// One whole group of rows with all columns.
template <class F>
inline void multiply_stream(const Matmul& m, int row, Scratch* s) {
  clear(s->out, 1, m.n_cols);
  if (m.rows_apart) {
    for_columns(m.n_cols, MultiplyStream<F, true>{m, row, s});
  } else {
    for_columns(m.n_cols, MultiplyStream<F, false>{m, row, s});
  }
  write_group(m, group_at(m, row), m.n_cols, s->out[0]);
}

template <class F>
inline Columns columns_at(const Matmul& m, int i, int col, int n_cols, Sums* sums) {
  const ActivationChunk* a = m.q + i * m.q_stride + col;
  if (!kIntegerScales<F>) prepare_sums<F>(a, n_cols, sums);
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

template <class F>
NT_INLINE TileOf<F>* tiles_of(Scratch* s) {
  if constexpr (kIntegerScales<F>) {
    return s->pairs;
  } else {
    return s->tile;
  }
}

// One group whose rows lie apart, with all columns, from a tile.
template <class F>
void multiply_group_from_tile(const Matmul& m, int row, Scratch* s) {
  const Group group = group_at(m, row);
  clear(s->out, 1, m.n_cols);
  for (int i = 0; i < n_chunks(m.n_values); ++i) {
    const Columns x = columns_at<F>(m, i, 0, m.n_cols, s->sums);
    fill_tile<F>(whole_rows_of<F>(m, group, i, s->rows), x.n_values, tiles_of<F>(s));
    for_columns(m.n_cols, MultiplyTileApart<F>{tiles_of<F>(s), ahead_of<F, true>(m, row, i), s->out, x});
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
        fill_tile<F>(whole_rows_of<F>(m, {r, 1}, i, s->rows), x.n_values, tiles_of<F>(s) + t);
      }
      for_columns(n_cols, MultiplyTiles<F>{tiles_of<F>(s), sources, n_tiles, n_cols, s->out + first, x});
    }
  }
  write_out(m, row, n_groups, col, n_cols, s->out);
}

// Whether groups whose rows lie apart are taken one at a time although they come from tiles. (Ice Lake, Q4_K from
// memory: 16 columns 178 G multiply-adds/s, two groups at a time 163.)
template <class F>
NT_INLINE bool is_apart_in_tiles(const Matmul& m) {
  return kIntegerScales<F> && m.rows_apart && m.n_cols <= 2 * kBlock;
}

template <class F>
void matmul_rows(const Matmul& m, int row, int n_groups, int col, int n_cols, Scratch* s) {
  if constexpr (kIntegerScales<F>) {
    if (is_streamed(m, row, stream_columns<F>(m))) return multiply_stream<F>(m, row, s);
    if (is_apart_in_tiles<F>(m)) return multiply_group_from_tile<F>(m, row, s);
  } else if constexpr (Unpack<F>::kDirect != 0) {
    if (m.n_cols <= Unpack<F>::kDirect) return multiply_group<F>(m, row, s);
  }
  multiply_groups<F>(m, row, n_groups, col, n_cols, s);
}

template <class F>
int groups_at_once(const Matmul& m) {
  if (m.n_cols > kFewColumns) return kMaxGroups;
  if (is_apart_in_tiles<F>(m)) return 1;
  if constexpr (kIntegerScales<F>) {
    return m.n_cols > stream_columns<F>(m) ? 2 : 1;
  } else {
    return m.n_cols > Unpack<F>::kDirect ? 2 : 1;
  }
}

template <class F>
void matmul(const Matmul& m) {
  auto* s = static_cast<Scratch*>(m.scratch);
  for_blocks(m, groups_at_once<F>(m), [&](int row, int n_groups, int col, int n_cols) NT_INLINE_LAMBDA {
    matmul_rows<F>(m, row, n_groups, col, n_cols, s);
  });
}

}  // namespace
}  // namespace nt::cpu

// AVX2 and AVX-VNNI: matrix products, for the files that instantiate them. Each chunk of some groups of 16 rows is
// unpacked once, and its tiles are multiplied with every column out of the first-level cache.
#pragma once

#include "cpu/kernels_avx2_unpack.h"
#include "cpu/matmul_blocks.h"

namespace nt::cpu {
namespace {

constexpr int kMaxGroups = 4;  // groups of 16 rows whose tiles are kept at a time: a column's chunk is read from the
                               // second-level cache once for all of them
// Columns that share a load of weights. 8 chains of vpdpbusd hide its latency; the 16-bit sums have none to hide, and
// with 3 columns their 32-bit ones fit in the 16 registers as well.
constexpr int kBlock = kVnni ? 4 : 3;

// How a format's mins are taken off: not at all, with float mins and sums of the activations, or, in blocks of 256,
// where both are small integers, by dots of pairs of sub-blocks.
enum class Mins { kNone, kFloat, kInteger };

template <class F>
constexpr Mins kMins = !F::kHasMin            ? Mins::kNone
                       : F::kValues == kChunk ? Mins::kInteger
                                              : Mins::kFloat;

// The largest value of q + bias in a tile, which decides how many vpmaddubsw fit in 16 bits.
template <class F>
constexpr int kLargest = kSigned<F> ? 128 : 127;
template <>
constexpr int kLargest<Q4_0> = 15;
template <>
constexpr int kLargest<Q4_1> = 15;
template <>
constexpr int kLargest<Q5_0> = 31;
template <>
constexpr int kLargest<Q5_1> = 31;
template <>
constexpr int kLargest<Q2_K> = 3;
template <>
constexpr int kLargest<Q3_K> = 7;
template <>
constexpr int kLargest<Q4_K> = 15;
template <>
constexpr int kLargest<Q5_K> = 31;
template <>
constexpr int kLargest<Q6_K> = 63;
template <>
constexpr int kLargest<IQ3_S> = 31;
template <>
constexpr int kLargest<IQ1_S> = 31;
template <>
constexpr int kLargest<IQ1_M> = 31;

// Groups of 4 values whose products add up in 16 bits: activations lie in ±127, two products make a sum.
template <class F>
constexpr int groups_in_16_bits() {
  int groups = F::kSub / 4;
  while (groups * 2 * 127 * kLargest < F >> 32767) groups /= 2;
  return groups;
}

// What a product from a tile depends on: formats that agree in it share the code.
template <int Sub, int Run, bool Signed, bool Bias, bool IntegerScales, Mins M, int Activation>
struct Shape {
  static constexpr int kSub = Sub, kRun = Run, kActivation = Activation;
  static constexpr bool kSigned = Signed, kBias = Bias, kIntegerScales = IntegerScales;
  static constexpr Mins kMins = M;
};

template <class F>
using ShapeOf = Shape<F::kSub, kVnni ? F::kSub / 4 : groups_in_16_bits<F>(), kSigned<F>, kTileBias<F> != 0,
                      kIntegerScales<F>, kMins<F>, kActivationBlock<F>>;

// What a product needs of a column's chunk besides the chunk: by sub-block.
struct alignas(64) Sums {
  int32_t start[16];  // −bias · Σa, which takes off what the bias of the weights adds
};

struct alignas(64) Scratch {
  WeightTile tile[kMaxGroups];
  Sums sums[kMaxColumns];
  float out[kMaxColumns][kMaxGroups][kTileRows];
};
static_assert(sizeof(Scratch) <= kScratchBytes);

NT_INLINE __m256i load_aligned(const void* p) { return _mm256_load_si256(static_cast<const __m256i*>(p)); }

NT_INLINE __m256i broadcast_four(const void* four_bytes) {
  int32_t four;
  std::memcpy(&four, four_bytes, 4);
  return _mm256_set1_epi32(four);
}

// Products of a tile and C columns. The order of a column's additions does not depend on C.
template <class S, int C>
struct Products {
  const WeightTile& t;
  const ActivationChunk* a;
  const Sums* sums;
  __m256i (*total)[2];  // (C, 16): int32 with integer scales, else float; of the chunk's sub-blocks so far

  // The dots of groups first … first + kRun − 1: sums of two products in 16 bits, or of four in 32 added to `dot`.
  NT_INLINE void run_dots(int first, __m256i (*dot)[2]) const {
    NT_UNROLL
    for (int i = 0; i < S::kRun; ++i) {
      const __m256i w0 = load_aligned(t.q[first + i]), w1 = load_aligned(t.q[first + i][8]);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const __m256i x = broadcast_four(a[c].q + 4 * (first + i));
#if defined(NT_DPBUSD)
        dot[c][0] = NT_DPBUSD(dot[c][0], w0, x);
        dot[c][1] = NT_DPBUSD(dot[c][1], w1, x);
#else
        const __m256i p0 = multiply(w0, x), p1 = multiply(w1, x);
        dot[c][0] = i ? _mm256_add_epi16(dot[c][0], p0) : p0;
        dot[c][1] = i ? _mm256_add_epi16(dot[c][1], p1) : p1;
#endif
      }
    }
  }

  static NT_INLINE __m256i multiply(__m256i w, __m256i x) {
    return S::kSigned ? _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w)) : _mm256_maddubs_epi16(w, x);
  }

  // Groups first … first + kRun − 1, which lie in sub-block s.
  NT_INLINE void add_integers(int first, int s) const {
    __m256i dot[C][2];
    run_dots(first, dot);
    NT_UNROLL
    for (int h = 0; h < 2; ++h) {
      const __m256i scale = load_aligned(t.scale_words[s][8 * h]);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        total[c][h] = _mm256_add_epi32(total[c][h], _mm256_madd_epi16(dot[c][h], scale));
      }
    }
  }

  // The dots of sub-block s in 32 bits.
  NT_INLINE void sub_block_dots(int s, __m256i (*dot)[2]) const {
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      dot[c][0] = dot[c][1] = S::kBias ? _mm256_set1_epi32(sums[c].start[s]) : _mm256_setzero_si256();
    }
    NT_UNROLL
    for (int first = 0; first < S::kSub / 4; first += S::kRun) {
      if (kVnni) {
        run_dots(s * S::kSub / 4 + first, dot);
        continue;
      }
      __m256i part[C][2];
      run_dots(s * S::kSub / 4 + first, part);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        NT_UNROLL
        for (int h = 0; h < 2; ++h) {
          dot[c][h] = _mm256_add_epi32(dot[c][h], _mm256_madd_epi16(part[c][h], _mm256_set1_epi16(1)));
        }
      }
    }
  }

  NT_INLINE void add_floats(int s) const {
    __m256i dot[C][2];
    sub_block_dots(s, dot);
    NT_UNROLL
    for (int h = 0; h < 2; ++h) {
      const __m256 scale = _mm256_load_ps(t.scale[s] + 8 * h);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const __m256 d = _mm256_cvtepi32_ps(dot[c][h]), before = _mm256_castsi256_ps(total[c][h]);
        __m256 after;
        if constexpr (S::kActivation == 32) {
          __m256 term = _mm256_mul_ps(d, scale);
          if (S::kMins == Mins::kFloat) {
            term = _mm256_fnmadd_ps(_mm256_load_ps(t.min[s] + 8 * h), broadcast(a[c].sum32f[s]), term);
          }
          after = _mm256_fmadd_ps(term, broadcast(a[c].scale[s]), before);
        } else {
          after = _mm256_fmadd_ps(d, scale, before);
        }
        total[c][h] = _mm256_castps_si256(after);
      }
    }
  }

  // Σ min · Σa, rows 8h … 8h + 7.
  NT_INLINE __m256i min_dot(int c, int h) const {
    __m256i m = _mm256_setzero_si256();
    NT_UNROLL
    for (int j = 0; j < kChunk / S::kSub / 2; ++j) {
      const __m256i pair = broadcast_four((S::kSub == 32 ? a[c].sum32 : a[c].sum16) + 2 * j);
      m = _mm256_add_epi32(m, _mm256_madd_epi16(load_aligned(t.min_pairs[j][8 * h]), pair));
    }
    return m;
  }

  // Adds the chunk to the sums of the chunks before it.
  NT_INLINE void finish(float* out, size_t out_stride) const {
    NT_UNROLL
    for (int c = 0; c < C; ++c) {
      NT_UNROLL
      for (int h = 0; h < 2; ++h) {
        __m256i integers = total[c][h];
        if (S::kIntegerScales && S::kBias) integers = _mm256_sub_epi32(integers, min_dot(c, h));
        __m256 sum = S::kIntegerScales ? _mm256_mul_ps(_mm256_cvtepi32_ps(integers), _mm256_load_ps(t.d + 8 * h))
                                       : _mm256_castsi256_ps(integers);
        if (S::kMins == Mins::kInteger) {
          sum = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(min_dot(c, h)), _mm256_load_ps(t.min_scale + 8 * h), sum);
        }
        float* o = out + c * out_stride + 8 * h;
        const __m256 before = _mm256_load_ps(o);
        _mm256_store_ps(o, S::kActivation == 32 ? _mm256_add_ps(before, sum)
                                                : _mm256_fmadd_ps(sum, broadcast(a[c].scale[0]), before));
      }
    }
  }
};

// A function of its own: within one that unpacks, too, GCC spills (Zen 3, 256 columns of Q6_K: 5 % longer).
template <class S, int C>
NT_NOINLINE void multiply_tile(const WeightTile& t, const ActivationChunk* a, const Sums* sums, int n_values,
                               float* out, size_t out_stride) {
  __m256i total[C][2];
  const Products<S, C> p = {t, a, sums, total};
  NT_UNROLL
  for (int c = 0; c < C; ++c) total[c][0] = total[c][1] = _mm256_setzero_si256();
  for (int s = 0; s < n_values / S::kSub; ++s) {
    if constexpr (S::kIntegerScales) {
      for (int first = 0; first < S::kSub / 4; first += S::kRun) p.add_integers(s * S::kSub / 4 + first, s);
    } else {
      p.add_floats(s);
    }
  }
  p.finish(out, out_stride);
}

// What the next unpacking reads, to be fetched into the second-level cache meanwhile.
struct Ahead : Stretches {
  size_t bytes;
  int left;

  NT_INLINE void fetch(int n) {
    for (; n > 0 && left > 0; --n, --left, address += stride) {
      for (size_t i = 0; i < bytes + 63; i += 64) _mm_prefetch(reinterpret_cast<const char*>(address + i), _MM_HINT_T1);
    }
  }
};

// Rows row … row + 15 at chunk i. Those that the matrix lacks repeat its last one; nobody reads their results.
template <class F>
inline void find_rows(const Matmul& m, int row, int i, const uint8_t** rows) {
  for (int r = 0; r < kTileRows; ++r) {
    const auto index = static_cast<size_t>(smaller(row + r, m.n_rows - 1));
    rows[r] = m.rows + index * m.row_bytes + i * bytes_of<F>(kChunk);
  }
}

template <class F>
inline void fill_group(const Matmul& m, int row, int i, WeightTile* tile) {
  const uint8_t* rows[kTileRows];
  find_rows<F>(m, row, i, rows);
  for (int h = 0; h < 2; ++h) Unpack<F>::run(half_tile(rows, chunk_values(m.n_values, i), tile, h));
}

template <class F>
inline void prepare_sums(const ActivationChunk* a, int n_cols, Sums* sums) {
  using S = ShapeOf<F>;
  for (int c = 0; c < n_cols; ++c) {
    const int16_t* sum = F::kSub == 16 ? a[c].sum16 : a[c].sum32;
    for (int j = 0; S::kBias && !S::kIntegerScales && j < kChunk / F::kSub; j += 8) {
      const __m256i wide = _mm256_cvtepi16_epi32(_mm_load_si128(reinterpret_cast<const __m128i*>(sum + j)));
      store256(sums[c].start + j, _mm256_mullo_epi32(wide, _mm256_set1_epi32(-kTileBias<F>)));
    }
  }
}

template <class S, int C>
inline void multiply_columns(Scratch* s, const ActivationChunk* a, int n_groups, int n_values, int c) {
  for (int g = 0; g < n_groups; ++g) {
    multiply_tile<S, C>(s->tile[g], a + c, s->sums + c, n_values, s->out[c][g], kMaxGroups * kTileRows);
  }
}

// The last 1 … C columns.
template <class S, int C>
inline void multiply_rest(Scratch* s, const ActivationChunk* a, int n_groups, int n_values, int c, int n_cols) {
  if (n_cols == C) return multiply_columns<S, C>(s, a, n_groups, n_values, c);
  if constexpr (C > 1) multiply_rest<S, C - 1>(s, a, n_groups, n_values, c, n_cols);
}

template <class S>
inline void multiply_chunk(Scratch* s, const ActivationChunk* a, int n_cols, int n_groups, int n_values, Ahead ahead) {
  const int n_blocks = (n_cols + kBlock - 1) / kBlock, stretches = (ahead.left + n_blocks - 1) / n_blocks;
  for (int c = 0; c < n_cols; c += kBlock) {
    ahead.fetch(stretches);
    multiply_rest<S, kBlock>(s, a, n_groups, n_values, c, smaller(kBlock, n_cols - c));
  }
}

// Up to kColumns columns go row by row, with 32 values of a row to a vector: transposing the weights would take longer
// than the product. Sums with integer scales are exact, so that they are the same as from a tile.
template <class F>
struct RowDots {
  static constexpr int kColumns = 0;
};

template <>
struct RowDots<Q4_K> {
  static constexpr int kColumns = kVnni ? 0 : 2;

  static void scales(const HalfTile& t) { put_scales_k4<Q4_K>(t); }

  // Adds row r of the tile's scales to sums (C, 8 parts).
  template <int C>
  static NT_INLINE void add(const uint8_t* block, const WeightTile& t, int r, const ActivationChunk* a, __m256i* sum) {
    NT_UNROLL
    for (int j = 0; j < 8; ++j) {
      const __m256i bytes = load256(block + 16 + 32 * (j / 2));
      const __m256i w = j % 2 ? high_nibbles(bytes) : low_nibbles(bytes), scale = broadcast_four(t.scale_words[j][r]);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const __m256i dot = _mm256_maddubs_epi16(w, load_aligned(a[c].q + 32 * j));
        sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(dot, scale));
      }
    }
  }
};

template <>
struct RowDots<Q6_K> {
  static constexpr int kColumns = kVnni ? 0 : 2;

  static void scales(const HalfTile& t) { put_scales_q6(t); }

  template <int C>
  static NT_INLINE void add(const uint8_t* block, const WeightTile& t, int r, const ActivationChunk* a, __m256i* sum) {
    NT_UNROLL
    for (int j = 0; j < 8; ++j) {  // 32 values: quarter j % 4 of half j / 4
      const __m256i low = load256(block + 64 * (j / 4) + 32 * (j % 2)), high = load256(block + 128 + 32 * (j / 4));
      const __m256i two = _mm256_and_si256(_mm256_srli_epi16(high, 2 * (j % 4)), _mm256_set1_epi8(3));
      const __m256i w = _mm256_or_si256(j % 4 < 2 ? low_nibbles(low) : high_nibbles(low), _mm256_slli_epi16(two, 4));
      const __m256i scale = _mm256_blend_epi32(broadcast_four(t.scale_words[2 * j][r]),
                                               broadcast_four(t.scale_words[2 * j + 1][r]), 0xf0);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const __m256i dot = _mm256_maddubs_epi16(w, load_aligned(a[c].q + 32 * j));
        sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(dot, scale));
      }
    }
  }
};

// Lane r of the result is the sum of row r.
template <int C>
inline __m256i sum_rows(const __m256i (*sum)[C], int c) {
  const __m256i a = _mm256_hadd_epi32(sum[0][c], sum[1][c]), b = _mm256_hadd_epi32(sum[2][c], sum[3][c]);
  const __m256i d = _mm256_hadd_epi32(sum[4][c], sum[5][c]), e = _mm256_hadd_epi32(sum[6][c], sum[7][c]);
  const __m256i low = _mm256_hadd_epi32(a, b), high = _mm256_hadd_epi32(d, e);
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31));
}

// Rows row … row + 15 at chunk i, with C columns. The tile has only their scales.
template <class F, int C>
void multiply_rows(const Matmul& m, int row, int i, const ActivationChunk* a, Scratch* s, Ahead* ahead, float* out) {
  const uint8_t* rows[kTileRows];
  find_rows<F>(m, row, i, rows);
  WeightTile& t = s->tile[0];
  __m256i total[C][2];
  for (int h = 0; h < 2; ++h) {
    RowDots<F>::scales(half_tile(rows, kChunk, &t, h));
    __m256i sum[8][C];
    for (int r = 0; r < 8; ++r) {
      ahead->fetch(1);
      __m256i parts[C];
      for (int c = 0; c < C; ++c) parts[c] = _mm256_setzero_si256();
      RowDots<F>::template add<C>(rows[8 * h + r], t, 8 * h + r, a, parts);
      for (int c = 0; c < C; ++c) sum[r][c] = parts[c];
    }
    for (int c = 0; c < C; ++c) total[c][h] = sum_rows<C>(sum, c);
  }
  Products<ShapeOf<F>, C>{t, a, s->sums, total}.finish(out, kMaxGroups * kTileRows);
}

// Writes the sums of n_cols columns and some groups of rows.
inline void write_out(const Matmul& m, int row, int n_groups, int col, int n_cols,
                      const float (*sums)[kMaxGroups][kTileRows]) {
  const auto n_rows = static_cast<size_t>(smaller(n_groups * kTileRows, m.n_rows - row));
  for (int c = 0; c < n_cols; ++c) {
    std::memcpy(m.out + static_cast<size_t>(col + c) * m.out_stride + row, sums[c], n_rows * sizeof(float));
  }
}

template <class F>
void matmul_rows(const Matmul& m, int row, int n_groups, int col, int n_cols, Scratch* s) {
  for (int c = 0; c < n_cols; ++c) std::memset(s->out[c], 0, static_cast<size_t>(n_groups) * sizeof s->out[c][0]);
  for (int i = 0; i < n_chunks(m.n_values); ++i) {
    const ActivationChunk* a = m.q + i * m.q_stride + col;
    prepare_sums<F>(a, n_cols, s->sums);
    Ahead ahead = {stretches_ahead<F>(m, row, n_groups, i), bytes_of<F>(kChunk), n_groups * kTileRows};
    if constexpr (RowDots<F>::kColumns > 0) {
      if (n_cols <= RowDots<F>::kColumns) {
        const auto multiply = n_cols == 1 ? multiply_rows<F, 1> : multiply_rows<F, 2>;
        for (int g = 0; g < n_groups; ++g) multiply(m, row + g * kTileRows, i, a, s, &ahead, s->out[0][g]);
        continue;
      }
    }
    for (int g = 0; g < n_groups; ++g) fill_group<F>(m, row + g * kTileRows, i, &s->tile[g]);
    multiply_chunk<ShapeOf<F>>(s, a, n_cols, n_groups, chunk_values(m.n_values, i), ahead);
  }
  write_out(m, row, n_groups, col, n_cols, s->out);
}

template <class F>
void matmul(const Matmul& m) {
  auto* s = static_cast<Scratch*>(m.scratch);
  for_blocks(m, m.n_cols <= kFewColumns ? 1 : kMaxGroups,
             [&](int row, int n_groups, int col, int n_cols)
                 NT_INLINE_LAMBDA { matmul_rows<F>(m, row, n_groups, col, n_cols, s); });
}

}  // namespace
}  // namespace nt::cpu

// AVX-512: sums of products of 16 rows with some columns, from the dots of a chunk to the matrix that is written.
#pragma once

#include "cpu/kernels_avx512_ahead.h"

namespace nt::cpu {
namespace {

constexpr int kBlock = 8;  // columns that share a load of weights: 8 chains hide the dot's latency, and 8 integer and 8
                           // float sums leave registers for weights and scales

// Whether the dots of a chunk's sub-blocks are summed up in integers, scaled by integers, as they can be where scales
// are small ones times a float for all. That is exact, so that all ways to add them up give the same bits.
template <class F>
constexpr bool kIntegerScales = false;
template <>
constexpr bool kIntegerScales<Q4_K> = true;
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

template <class F>
using ShapeOf = Shape<F::kSub, F::kBias != 0, F::kHasMin, kIntegerScales<F>, kActivationBlock<F>>;

// What the dots of a column's chunk begin with and are corrected by: by sub-block.
struct alignas(64) Sums {
  int32_t start[16];  // −bias · Σa: what the bias of the weights adds, taken off in advance
  float total[16];    // Σa, for float mins
};

// The columns of a chunk.
struct Columns {
  const ActivationChunk* a;
  const Sums* sums;  // none with integer scales
  int n_values;

  NT_INLINE Columns from(int c) const { return {a + c, sums + c, n_values}; }
};

// Of 16 rows, by column: next to each other, or their lines would fall on a few of the cache's sets.
using GroupSums = float[kMaxColumns][kTileRows];

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
    if constexpr (S::kActivation == 32) {
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

inline void clear(GroupSums* sums, int n_groups, int n_cols) {
  for (int g = 0; g < n_groups; ++g) std::memset(sums[g], 0, static_cast<size_t>(n_cols) * sizeof sums[g][0]);
}

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

}  // namespace
}  // namespace nt::cpu

// AVX-512: the formats whose groups of values come from code books too large for registers. Each row is looked up with
// gathers and put in order in memory; the rows are transposed from there.
#pragma once

#include "cpu/kernels_avx512_unpack.h"

namespace nt::cpu {
namespace {

struct alignas(64) GridRow {
  uint8_t q[kChunk];  // biased
  float scale[16];
};

// F::row(block, out) of 16 rows, transposed.
template <class F, class Row>
struct UnpackGrid {
  static constexpr int kTogether = 32 / F::kSub, kDirect = 0;
  GridRow row[kTileRows];

  UnpackGrid(Rows r, int, WeightTile* t) {
    for (size_t i = 0; i < kTileRows; ++i) {
      Row::unpack(*reinterpret_cast<const typename F::Block*>(r.p + i * r.stride), &row[i]);
    }
    for (int s = 0; s < kChunk / F::kSub; s += 4) {
      load_16_bytes(rows().at(offsetof(GridRow, scale) + 4 * static_cast<size_t>(s)), t->scale + s);
    }
  }

  Rows rows() const { return {reinterpret_cast<const uint8_t*>(row), sizeof(GridRow)}; }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for (int k = 0; k < kChunk / 4; k += 8) {
      V v[8];
      load_32_bytes(rows().at(4 * static_cast<size_t>(k)), v);
      NT_UNROLL
      for (int i = 0; i < 8; ++i) sink.put(k, i, v[i]);
      sink.finish(k);
    }
  }
};

inline uint64_t load_u64(const uint8_t* p) { return load_u32(p) | static_cast<uint64_t>(load_u32(p + 4)) << 32; }

// bias ± magnitudes, minus where a bit of `signs` is set.
inline void store_signed(V magnitudes, uint64_t signs, int bias, uint8_t* q) {
  const V b = bytes(bias);
  store(q, _mm512_mask_sub_epi8(_mm512_add_epi8(magnitudes, b), signs, b, magnitudes));
}

inline V gather_8(const uint64_t* grid, __m256i index) { return _mm512_i32gather_epi64(index, grid, 8); }
inline V gather_16(const uint32_t* grid, V index) { return _mm512_i32gather_epi32(index, grid, 4); }

inline __m256i widen_8(const uint8_t* p) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
}
inline V widen_16(const uint8_t* p) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
// `n` bits of `word` from bit `step`·i on, in lane i.
inline __m256i bit_fields(uint32_t word, int step, int n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i shifted =
      _mm256_srlv_epi32(_mm256_set1_epi32(static_cast<int>(word)), _mm256_mullo_epi32(lane, _mm256_set1_epi32(step)));
  return _mm256_and_si256(shifted, _mm256_set1_epi32((1 << n) - 1));
}

// Eight sets of seven bits, a byte each, with the eighth sign.
inline uint64_t sign_bytes(uint64_t sevens) {
  const __m128i patterns =
      _mm512_castsi512_si128(sign_patterns(_mm512_castsi128_si512(_mm_cvtsi64_si128(static_cast<int64_t>(sevens)))));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(patterns));
}

// d·(0.5 + s)·step for 16 nibbles s.
inline void nibble_scales(f16 half, const uint8_t* nibbles, float step, float* scale) {
  const __m128i both = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(nibbles));
  const __m128i s = _mm_and_si128(_mm_unpacklo_epi8(both, _mm_srli_epi16(both, 4)), _mm_set1_epi8(15));
  const __m512 v = _mm512_add_ps(_mm512_set1_ps(0.5f), _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(s)));
  _mm512_store_ps(scale, _mm512_mul_ps(_mm512_mul_ps(_mm512_set1_ps(to_float(half)), v), _mm512_set1_ps(step)));
}

struct Iq2XsRow {
  static void unpack(const IQ2_XS::Block& b, GridRow* out) {
    nibble_scales(b.d, b.scales, 0.25f, out->scale);
    for (int i = 0; i < 4; ++i) {
      const __m256i code = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b.qs + 16 * i)));
      const __m256i signs = _mm256_srli_epi32(code, 9);
      const V grid = gather_8(kGrids.iq2_xs, _mm256_and_si256(code, _mm256_set1_epi32(511)));
      const __m128i sevens = _mm256_cvtepi32_epi8(signs);
      store_signed(grid, sign_bytes(static_cast<uint64_t>(_mm_cvtsi128_si64(sevens))), IQ2_XS::kBias, out->q + 64 * i);
    }
  }
};

struct Iq2SRow {
  static void unpack(const IQ2_S::Block& b, GridRow* out) {
    nibble_scales(b.d, b.scales, 0.25f, out->scale);
    for (int i = 0; i < 4; ++i) {
      const __m256i high = _mm256_slli_epi32(bit_fields(load_u16(b.qh + 2 * i), 2, 2), 8);
      const V grid = gather_8(kGrids.iq2_s, _mm256_or_si256(widen_8(b.qs + 8 * i), high));
      store_signed(grid, load_u64(b.signs + 8 * i), IQ2_S::kBias, out->q + 64 * i);
    }
  }
};

struct Iq3XxsRow {
  static void unpack(const IQ3_XXS::Block& b, GridRow* out) {
    const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b.signs));
    const __m256 s = _mm256_add_ps(_mm256_set1_ps(0.5f), _mm256_cvtepi32_ps(_mm256_srli_epi32(words, 28)));
    _mm256_store_ps(out->scale, _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(to_float(b.d)), s), _mm256_set1_ps(0.5f)));
    alignas(64) uint64_t signs[8];
    store(signs, sign_patterns(spread_sevens(_mm512_castsi256_si512(words))));
    for (int i = 0; i < 4; ++i) {
      store_signed(gather_16(kGrids.iq3_xxs, widen_16(b.qs + 16 * i)), signs[i], IQ3_XXS::kBias, out->q + 64 * i);
    }
  }
};

struct Iq3SRow {
  static void unpack(const IQ3_S::Block& b, GridRow* out) {
    const __m256i s = _mm256_slli_epi32(bit_fields(load_u32(b.scales), 4, 4), 1);
    const __m256 v = _mm256_cvtepi32_ps(_mm256_add_epi32(s, _mm256_set1_epi32(1)));
    _mm256_store_ps(out->scale, _mm256_mul_ps(_mm256_set1_ps(to_float(b.d)), v));
    for (int i = 0; i < 4; ++i) {
      const V low = widen_16(b.qs + 16 * i);
      const V index = _mm512_mask_add_epi32(low, load_u16(b.qh + 2 * i), low, _mm512_set1_epi32(256));
      store_signed(gather_16(kGrids.iq3_s, index), load_u64(b.signs + 8 * i), IQ3_S::kBias, out->q + 64 * i);
    }
  }
};

// 8·grid ± 1 for eight groups, minus where a bit of `minus` is set.
inline void store_eighths(__m256i index, unsigned minus, uint8_t* q) {
  const V eight = _mm512_and_si512(_mm512_slli_epi16(gather_8(kGrids.iq1, index), 3), bytes(0xf8));
  const V delta =
      _mm512_mask_blend_epi64(static_cast<__mmask8>(minus), bytes(IQ1_S::kBias + 1), bytes(IQ1_S::kBias - 1));
  store(q, _mm512_add_epi8(eight, delta));
}

struct Iq1SRow {
  static void unpack(const IQ1_S::Block& b, GridRow* out) {
    const __m256i qh = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(b.qh)));
    const __m256i s = _mm256_and_si256(_mm256_srli_epi32(qh, 12), _mm256_set1_epi32(7));
    const __m256 v = _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_slli_epi32(s, 1), _mm256_set1_epi32(1)));
    _mm256_store_ps(out->scale, _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(to_float(b.d)), v), _mm256_set1_ps(0.125f)));
    const unsigned negative = _mm256_test_epi32_mask(qh, _mm256_set1_epi32(0x8000));
    for (int i = 0; i < 4; ++i) {
      const unsigned word = load_u32(b.qh + 4 * i);
      const __m256i high = bit_fields((word & 0xfff) | (word >> 16 & 0xfff) << 12, 3, 3);
      const unsigned two = negative >> 2 * i;
      store_eighths(_mm256_or_si256(widen_8(b.qs + 8 * i), _mm256_slli_epi32(high, 8)),
                    (two & 1 ? 0x0f : 0) | (two & 2 ? 0xf0 : 0), out->q + 64 * i);
    }
  }
};

struct Iq1MRow {
  static void unpack(const IQ1_M::Block& b, GridRow* out) {
    unsigned d_bits = 0;
    for (int i = 0; i < 4; ++i) d_bits |= static_cast<unsigned>(b.scales[2 * i + 1] >> 4) << 4 * i;
    const __m512 d = _mm512_set1_ps(half_to_float(static_cast<uint16_t>(d_bits)));
    // Lane 4i + j: bits 3j … of word i.
    const V words =
        _mm512_cvtepu16_epi32(_mm256_castsi128_si256(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(b.scales))));
    const V each = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), words);
    const V shift = _mm512_setr_epi32(0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9, 0, 3, 6, 9);
    const V s = _mm512_slli_epi32(_mm512_and_si512(_mm512_srlv_epi32(each, shift), _mm512_set1_epi32(7)), 1);
    const __m512 v = _mm512_cvtepi32_ps(_mm512_add_epi32(s, _mm512_set1_epi32(1)));
    _mm512_store_ps(out->scale, _mm512_mul_ps(_mm512_mul_ps(d, v), _mm512_set1_ps(0.125f)));
    for (int i = 0; i < 4; ++i) {
      const __m256i qh = bit_fields(load_u32(b.qh + 4 * i), 4, 4);
      const __m256i high = _mm256_slli_epi32(_mm256_and_si256(qh, _mm256_set1_epi32(7)), 8);
      const unsigned minus = _mm256_test_epi32_mask(qh, _mm256_set1_epi32(8));
      store_eighths(_mm256_or_si256(widen_8(b.qs + 8 * i), high), minus, out->q + 64 * i);
    }
  }
};

#define NT_GRID(F, Row)                   \
  template <>                             \
  struct Unpack<F> : UnpackGrid<F, Row> { \
    using UnpackGrid<F, Row>::UnpackGrid; \
  };
NT_GRID(IQ2_XS, Iq2XsRow)
NT_GRID(IQ2_S, Iq2SRow)
NT_GRID(IQ3_XXS, Iq3XxsRow)
NT_GRID(IQ3_S, Iq3SRow)
NT_GRID(IQ1_S, Iq1SRow)
NT_GRID(IQ1_M, Iq1MRow)
#undef NT_GRID

}  // namespace
}  // namespace nt::cpu

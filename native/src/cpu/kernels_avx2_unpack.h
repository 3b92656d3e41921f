// AVX2: weights of 16 rows unpacked into tiles, 8 rows at a time, since a vector holds 4 consecutive values of 8 rows.
// The file's bytes are transposed while they are still packed, four bytes of 8 rows to a vector, and only then taken
// apart.
#pragma once

#include "cpu/kernels_avx2.h"
#include "cpu/tile.h"

namespace nt::cpu {
namespace {

// NT_DPBUSD is defined where there is VNNI: its dots take any unsigned byte and end in 32 bits, and a scale is cheapest
// in floats. Without it vpmaddubsw adds up products in 16 bits, and vpmaddwd, which has to widen the sums, multiplies
// by a sub-block's integer scale at the same time.
#if defined(NT_DPBUSD)
constexpr bool kVnni = true;
#else
constexpr bool kVnni = false;
#endif

// Formats with integer scales of sub-blocks, which stay integers up to the end of a chunk.
template <class F>
constexpr bool kIntegerScales = false;
template <>
constexpr bool kIntegerScales<Q2_K> = !kVnni;
template <>
constexpr bool kIntegerScales<Q3_K> = !kVnni;
template <>
constexpr bool kIntegerScales<Q4_K> = !kVnni;
template <>
constexpr bool kIntegerScales<Q5_K> = !kVnni;
template <>
constexpr bool kIntegerScales<Q6_K> = !kVnni;
template <>
constexpr bool kIntegerScales<IQ4_XS> = !kVnni;

// Formats that stay signed: vpmaddubsw would overflow on values of more than 7 bits.
template <class F>
constexpr bool kSigned = !kVnni && F::kBias == 128;

// What the tile's values are more than the weights'.
template <class F>
constexpr int kTileBias = kSigned<F> ? 0 : F::kBias;

// A tile whose scales may be integers, w = d·scale·q, and so may mins: w = scale·q − min_scale·min. Biased values with
// integer scales have bias·scale in place of a min, on the scale d.
struct WeightTile : Tile {
  alignas(64) int16_t scale_words[16][kTileRows][2];  // each twice
  int16_t min_pairs[8][kTileRows][2];                 // of sub-blocks 2j and 2j + 1
  float d[kTileRows];
  float min_scale[kTileRows];
};

// The halves at an offset of 8 rows.
inline __m256 halves(const uint8_t* const* rows, size_t offset) {
  uint16_t h[8];
  for (int i = 0; i < 8; ++i) std::memcpy(h + i, rows[i] + offset, 2);
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h)));
}

// The halves in the low 16 bits of each lane.
inline __m256 halves(__m256i v) {
  const __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
  return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

// Signed bytes `first` and `second` of each lane, as words.
NT_INLINE __m256i byte_pair(__m256i v, int first, int second) {
  const __m256i lane = _mm256_setr_epi32(0, 0x04000400, 0x08000800, 0x0c000c00, 0, 0x04000400, 0x08000800, 0x0c000c00);
  const __m256i upper = _mm256_set1_epi32(static_cast<int>(0x00800080u | first << 8 | second << 24));
  return _mm256_srai_epi16(_mm256_shuffle_epi8(v, _mm256_or_si256(lane, upper)), 8);
}

// Signed byte i of each lane.
NT_INLINE __m256 byte_of(__m256i v, int i) {
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_slli_epi32(v, 24 - 8 * i), 24));
}

inline __m256i low_nibbles(__m256i v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }

inline __m256i high_nibbles(__m256i v) { return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)); }

// -------------------------------------------------------------------------------- unpacking one half of a tile

// 8 of the 16 rows of a tile: the rows' blocks at the chunk, and where their part of the tile begins. What takes it is
// always inlined: else every store might change its pointers, which are then loaded again (Zen 3, a tile of Q4_K: 460
// cycles, so 250).
struct HalfTile {
  const uint8_t* rows[8];
  int n_values;
  WeightTile* tile;
  int first;  // row of the tile
};

NT_INLINE void put(const HalfTile& t, int group, __m256i q) { store256(t.tile->q[group][t.first], q); }

NT_INLINE void put_scale(const HalfTile& t, int sub, __m256 scale) {
  _mm256_store_ps(t.tile->scale[sub] + t.first, scale);
}

NT_INLINE void put_min(const HalfTile& t, int sub, __m256 min) { _mm256_store_ps(t.tile->min[sub] + t.first, min); }

// The mins dmin · min of all the sub-blocks of a block of 256, a byte each: four to a lane.
template <class F>
NT_INLINE void put_mins(const HalfTile& t, __m256 dmin, const __m256i* min) {
  NT_UNROLL
  for (int j = 0; j < kChunk / F::kSub / 2; ++j) {
    store256(t.tile->min_pairs[j][t.first], byte_pair(min[j / 2], j % 2 * 2, j % 2 * 2 + 1));
  }
  _mm256_store_ps(t.tile->min_scale + t.first, dmin);
}

// The scales d · scale, a signed byte each, in the form that the product wants.
template <class F>
NT_INLINE void put_scales(const HalfTile& t, __m256 d, const __m256i* scale) {
  constexpr int kSubs = kChunk / F::kSub;
  if constexpr (!kIntegerScales<F>) {
    NT_UNROLL
    for (int s = 0; s < kSubs; ++s) put_scale(t, s, _mm256_mul_ps(d, byte_of(scale[s / 4], s % 4)));
  } else {
    NT_UNROLL
    for (int s = 0; s < kSubs; ++s) {
      store256(t.tile->scale_words[s][t.first], byte_pair(scale[s / 4], s % 4, s % 4));
    }
    _mm256_store_ps(t.tile->d + t.first, d);
    NT_UNROLL
    for (int j = 0; kTileBias<F> != 0 && j < kSubs / 2; ++j) {
      const __m256i pair = byte_pair(scale[j / 2], j % 2 * 2, j % 2 * 2 + 1);
      store256(t.tile->min_pairs[j][t.first], _mm256_mullo_epi16(pair, _mm256_set1_epi16(kTileBias<F>)));
    }
  }
}

// The formats' own unpack(), row by row, and then transposed.
template <class F>
struct Unpack {
  static NT_INLINE void row(const uint8_t* data, int n, RowChunk* out) {
    if (n < kChunk) std::memset(out, 0, sizeof *out);
    unpack_row<F>(data, n, out);
    for (int8_t& q : out->q) q = static_cast<int8_t>(q + kTileBias<F>);
  }

  static NT_INLINE void run(const HalfTile& t) {
    RowChunk chunk[8];
    const uint8_t *q[8], *scale[8], *min[8];
    for (int r = 0; r < 8; ++r) {
      row(t.rows[r], t.n_values, &chunk[r]);
      q[r] = reinterpret_cast<const uint8_t*>(chunk[r].q);
      scale[r] = reinterpret_cast<const uint8_t*>(chunk[r].scale);
      min[r] = reinterpret_cast<const uint8_t*>(chunk[r].min);
    }
    __m256i v[4];
    for (int k = 0; k < t.n_values; k += 16) {
      transpose16(q, k, v);
      for (int j = 0; j < 4; ++j) put(t, k / 4 + j, v[j]);
    }
    for (int s = 0; s < kChunk / F::kSub; s += 4) {
      transpose16(scale, s * sizeof(float), v);
      for (int j = 0; j < 4; ++j) put_scale(t, s + j, _mm256_castsi256_ps(v[j]));
      if constexpr (F::kHasMin) {
        transpose16(min, s * sizeof(float), v);
        for (int j = 0; j < 4; ++j) put_min(t, s + j, _mm256_castsi256_ps(v[j]));
      }
    }
  }
};

// 16 bytes of nibbles at an offset: the low ones are groups first … first + 3, the high ones second … second + 3.
NT_INLINE void put_nibbles(const HalfTile& t, size_t offset, int first, int second) {
  __m256i v[4];
  transpose16(t.rows, offset, v);
  for (int j = 0; j < 4; ++j) {
    put(t, first + j, low_nibbles(v[j]));
    put(t, second + j, high_nibbles(v[j]));
  }
}

// The same, through IQ4's table of values.
NT_INLINE void put_iq4(const HalfTile& t, size_t offset, int group) {
  const __m256i values = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values)));
  const __m256i table = _mm256_add_epi8(values, _mm256_set1_epi8(static_cast<char>(kTileBias<IQ4_NL>)));
  __m256i v[4];
  transpose16(t.rows, offset, v);
  for (int j = 0; j < 4; ++j) {
    put(t, group + j, _mm256_shuffle_epi8(table, low_nibbles(v[j])));
    put(t, group + 4 + j, _mm256_shuffle_epi8(table, high_nibbles(v[j])));
  }
}

template <>
NT_INLINE void Unpack<Q4_0>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 18 * b));
    put_nibbles(t, 18 * b + 2, 8 * b, 8 * b + 4);
  }
}

template <>
NT_INLINE void Unpack<Q4_1>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 20 * b));
    put_min(t, b, _mm256_xor_ps(halves(t.rows, 20 * b + 2), broadcast(-0.0f)));
    put_nibbles(t, 20 * b + 4, 8 * b, 8 * b + 4);
  }
}

template <>
NT_INLINE void Unpack<IQ4_NL>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 18 * b));
    put_iq4(t, 18 * b + 2, 8 * b);
  }
}

template <>
NT_INLINE void Unpack<Q8_0>::run(const HalfTile& t) {
  const __m256i bias = _mm256_set1_epi8(static_cast<char>(kTileBias<Q8_0>));
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 34 * b));
    for (int i = 0; i < 2; ++i) {
      __m256i v[4];
      transpose16(t.rows, 34 * b + 2 + 16 * i, v);
      for (int j = 0; j < 4; ++j) put(t, 8 * b + 4 * i + j, _mm256_xor_si256(v[j], bias));
    }
  }
}

// The 16 bytes that Q4_K and Q5_K begin with: d, dmin and the packed scales and mins (see scale_min_k4()).
template <class F>
NT_INLINE void put_scales_k4(const HalfTile& t) {
  __m256i v[4];
  transpose16(t.rows, 0, v);
  const __m256 d = halves(v[0]), dmin = halves(_mm256_srli_epi32(v[0], 16));
  const __m256i six = _mm256_set1_epi8(63), two = _mm256_set1_epi8(0x30);
  const __m256i scale[2] = {_mm256_and_si256(v[1], six),
                            _mm256_or_si256(low_nibbles(v[3]), _mm256_and_si256(_mm256_srli_epi16(v[1], 2), two))};
  const __m256i min[2] = {_mm256_and_si256(v[2], six),
                          _mm256_or_si256(high_nibbles(v[3]), _mm256_and_si256(_mm256_srli_epi16(v[2], 2), two))};
  put_scales<F>(t, d, scale);
  put_mins<F>(t, dmin, min);
}

template <>
NT_INLINE void Unpack<Q4_K>::run(const HalfTile& t) {
  put_scales_k4<Q4_K>(t);
  for (int i = 0; i < 8; ++i) {
    const int group = 16 * (i / 2) + 4 * (i % 2);
    put_nibbles(t, 16 + 16 * i, group, group + 8);
  }
}

template <>
NT_INLINE void Unpack<Q5_K>::run(const HalfTile& t) {
  put_scales_k4<Q5_K>(t);
  const __m256i bit = _mm256_set1_epi8(16);
  __m256i high[8];  // of values 4i … 4i + 3 of every sub-block; bit j is sub-block j's
  transpose16(t.rows, 16, high);
  transpose16(t.rows, 32, high + 4);
  for (int g = 0; g < 4; ++g) {
    for (int i = 0; i < 8; i += 4) {
      __m256i v[4];
      transpose16(t.rows, 48 + 32 * g + 4 * i, v);
      for (int j = 0; j < 4; ++j) {
        const __m256i h =
            _mm256_sll_epi16(_mm256_srl_epi16(high[i + j], _mm_cvtsi32_si128(2 * g)), _mm_cvtsi32_si128(4));
        const __m256i next = _mm256_srli_epi16(h, 1);
        put(t, 16 * g + i + j, _mm256_or_si256(low_nibbles(v[j]), _mm256_and_si256(h, bit)));
        put(t, 16 * g + 8 + i + j, _mm256_or_si256(high_nibbles(v[j]), _mm256_and_si256(next, bit)));
      }
    }
  }
}

NT_INLINE void put_scales_q6(const HalfTile& t) {
  __m256i scales[4];
  transpose16(t.rows, 192, scales);
  put_scales<Q6_K>(t, halves(t.rows, 208), scales);
}

template <>
NT_INLINE void Unpack<Q6_K>::run(const HalfTile& t) {
  const __m256i bits = _mm256_set1_epi8(0x30);
  for (int i = 0; i < 4; ++i) {  // 16 values of each of the four quarters of half i / 2
    const int h = i / 2, l = 16 * (i % 2);
    __m256i a[4], b[4], high[4];
    transpose16(t.rows, 64 * h + l, a);
    transpose16(t.rows, 64 * h + 32 + l, b);
    transpose16(t.rows, 128 + 32 * h + l, high);
    for (int j = 0; j < 4; ++j) {
      const int group = 32 * h + l / 4 + j;
      const __m256i v = high[j];
      put(t, group, _mm256_or_si256(low_nibbles(a[j]), _mm256_and_si256(_mm256_slli_epi16(v, 4), bits)));
      put(t, group + 8, _mm256_or_si256(low_nibbles(b[j]), _mm256_and_si256(_mm256_slli_epi16(v, 2), bits)));
      put(t, group + 16, _mm256_or_si256(high_nibbles(a[j]), _mm256_and_si256(v, bits)));
      put(t, group + 24, _mm256_or_si256(high_nibbles(b[j]), _mm256_and_si256(_mm256_srli_epi16(v, 2), bits)));
    }
  }
  put_scales_q6(t);
}

template <>
NT_INLINE void Unpack<IQ4_XS>::run(const HalfTile& t) {
  alignas(32) int8_t scale[2][8][4];
  for (int r = 0; r < 8; ++r) {
    const uint8_t* p = t.rows[r];
    for (int s = 0; s < 8; ++s) {
      scale[s / 4][r][s % 4] = static_cast<int8_t>((nibble(p + 4, s) | (load_u16(p + 2) >> 2 * s & 3) << 4) - 32);
    }
  }
  const __m256i scales[2] = {load256(scale[0]), load256(scale[1])};
  for (int s = 0; s < 8; ++s) put_iq4(t, 8 + 16 * s, 8 * s);
  put_scales<IQ4_XS>(t, halves(t.rows, 0), scales);
}

// The fifth bits of a block of Q5_0 or Q5_1, as 16 in each byte of group g.
NT_INLINE __m256i fifth_bits(__m256i qh, int g) {
  const __m256i spread = _mm256_set1_epi32(0x01010101 * (g / 2));
  const __m256i lanes = _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c, 0, 0x04040404, 0x08080808, 0x0c0c0c0c);
  const __m256i bit = _mm256_set1_epi32(g % 2 ? static_cast<int32_t>(0x80402010) : 0x08040201);
  const __m256i all = _mm256_shuffle_epi8(qh, _mm256_add_epi8(spread, lanes));
  return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit), _mm256_set1_epi8(16));
}

// 4 bytes of fifth bits and 16 of nibbles at an offset: block b.
NT_INLINE void put_q5(const HalfTile& t, size_t offset, int b) {
  alignas(32) uint32_t bits[8];
  for (int r = 0; r < 8; ++r) bits[r] = load_u32(t.rows[r] + offset);
  const __m256i qh = load256(bits);
  __m256i v[4];
  transpose16(t.rows, offset + 4, v);
  for (int j = 0; j < 4; ++j) {
    put(t, 8 * b + j, _mm256_or_si256(low_nibbles(v[j]), fifth_bits(qh, j)));
    put(t, 8 * b + 4 + j, _mm256_or_si256(high_nibbles(v[j]), fifth_bits(qh, 4 + j)));
  }
}

template <>
NT_INLINE void Unpack<Q5_0>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 22 * b));
    put_q5(t, 22 * b + 2, b);
  }
}

template <>
NT_INLINE void Unpack<Q5_1>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 24 * b));
    put_min(t, b, _mm256_xor_ps(halves(t.rows, 24 * b + 2), broadcast(-0.0f)));
    put_q5(t, 24 * b + 4, b);
  }
}

template <>
NT_INLINE void Unpack<Q2_K>::run(const HalfTile& t) {
  const __m256i two = _mm256_set1_epi8(3);
  __m256i v[4], scales[4], mins[4];
  transpose16(t.rows, 0, v);
  NT_UNROLL
  for (int j = 0; j < 4; ++j) {
    scales[j] = low_nibbles(v[j]);
    mins[j] = high_nibbles(v[j]);
  }
  put_scales<Q2_K>(t, halves(t.rows, 80), scales);
  put_mins<Q2_K>(t, halves(t.rows, 82), mins);
  for (int i = 0; i < 4; ++i) {  // bytes 16i … 16i + 15
    transpose16(t.rows, 16 + 16 * i, v);
    for (int j = 0; j < 4; ++j) {
      const int group = 32 * (i / 2) + 4 * (i % 2) + j;
      put(t, group, _mm256_and_si256(v[j], two));
      put(t, group + 8, _mm256_and_si256(_mm256_srli_epi16(v[j], 2), two));
      put(t, group + 16, _mm256_and_si256(_mm256_srli_epi16(v[j], 4), two));
      put(t, group + 24, _mm256_and_si256(_mm256_srli_epi16(v[j], 6), two));
    }
  }
}

template <>
NT_INLINE void Unpack<Q3_K>::run(const HalfTile& t) {
  const __m256i two = _mm256_set1_epi8(3), one = _mm256_set1_epi8(1);
  __m256i v[4], mask[8], scales[4];
  transpose16(t.rows, 92, v);  // the 12 bytes of scales are v[1] to v[3]
  for (int i = 0; i < 4; ++i) {
    const __m256i low = i < 2 ? low_nibbles(v[1 + i]) : high_nibbles(v[i - 1]);
    const __m256i high = _mm256_and_si256(_mm256_srl_epi16(v[3], _mm_cvtsi32_si128(2 * i)), two);
    const __m256i six = _mm256_or_si256(low, _mm256_slli_epi16(high, 4));
    scales[i] = _mm256_sub_epi8(six, _mm256_set1_epi8(32));
  }
  put_scales<Q3_K>(t, halves(t.rows, 108), scales);
  transpose16(t.rows, 0, mask);
  transpose16(t.rows, 16, mask + 4);
  for (int i = 0; i < 4; ++i) {  // bytes 16i … 16i + 15 of qs
    transpose16(t.rows, 32 + 16 * i, v);
    for (int j = 0; j < 4; ++j) {
      for (int k = 0; k < 4; ++k) {
        const int sub = 4 * (i / 2) + k;  // of 32 values
        const __m256i low = _mm256_and_si256(_mm256_srl_epi16(v[j], _mm_cvtsi32_si128(2 * k)), two);
        const __m256i bit = _mm256_srl_epi16(mask[4 * (i % 2) + j], _mm_cvtsi32_si128(sub));
        const __m256i high = _mm256_slli_epi16(_mm256_and_si256(bit, one), 2);
        put(t, 8 * sub + 4 * (i % 2) + j, _mm256_or_si256(low, high));
      }
    }
  }
}

// The grids' formats are decoded row by row, 32 values at a time, and then transposed.

NT_INLINE __m256i four(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return _mm256_setr_epi64x(static_cast<int64_t>(a), static_cast<int64_t>(b), static_cast<int64_t>(c),
                            static_cast<int64_t>(d));
}

// Stores 32 magnitudes with their signs, bit i for value i, plus the format's bias.
template <class F>
NT_INLINE void put_codes(__m256i magnitudes, uint32_t signs, int8_t* q) {
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  const __m256i spread = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(signs)), spread);
  const __m256i negative = _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit);
  const __m256i value = _mm256_sub_epi8(_mm256_xor_si256(magnitudes, negative), negative);
  store256(q, _mm256_add_epi8(value, _mm256_set1_epi8(kTileBias<F>)));
}

// Stores 32 values of −1, 0 or 1 in eighths, plus or minus one eighth, which are the bytes of `delta`.
template <class F>
NT_INLINE void put_eighths32(__m256i grid, __m256i delta, int8_t* q) {
  const __m256i eight = _mm256_and_si256(_mm256_slli_epi16(grid, 3), _mm256_set1_epi8(-8));
  store256(q, _mm256_add_epi8(_mm256_add_epi8(eight, delta), _mm256_set1_epi8(kTileBias<F>)));
}

// Four groups of seven sign bits as four bytes, the eighth bit of each making the number of ones even.
NT_INLINE uint32_t sign_bytes(uint32_t sevens) {
  const uint32_t x = (sevens & 0x7f) | (sevens << 1 & 0x7f00) | (sevens << 2 & 0x7f0000) | (sevens << 3 & 0x7f000000);
  uint32_t parity = x ^ x >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return x | (parity & 0x01010101) << 7;
}

template <>
NT_INLINE void Unpack<IQ2_XXS>::row(const uint8_t* data, int, RowChunk* out) {
  const auto& b = *reinterpret_cast<const IQ2_XXS::Block*>(data);
  const uint64_t* grid = kGrids.iq2_xxs;
  const float d = to_float(b.d);
  for (int j = 0; j < 8; ++j) {
    const uint8_t* i = b.sub[j].index;
    const uint32_t signs = load_u32(b.sub[j].signs);
    out->scale[j] = d * (0.5f + static_cast<float>(signs >> 28)) * 0.25f;
    put_codes<IQ2_XXS>(four(grid[i[0]], grid[i[1]], grid[i[2]], grid[i[3]]), sign_bytes(signs), out->q + 32 * j);
  }
}

template <>
NT_INLINE void Unpack<IQ2_XS>::row(const uint8_t* data, int, RowChunk* out) {
  const auto& b = *reinterpret_cast<const IQ2_XS::Block*>(data);
  const uint64_t* grid = kGrids.iq2_xs;
  const float d = to_float(b.d);
  for (int j = 0; j < 16; ++j) out->scale[j] = d * (0.5f + static_cast<float>(nibble(b.scales, j))) * 0.25f;
  for (int j = 0; j < 8; ++j) {
    uint32_t code[4], sevens = 0;
    for (int k = 0; k < 4; ++k) {
      code[k] = load_u16(b.qs + 8 * j + 2 * k);
      sevens |= (code[k] >> 9) << 7 * k;
      code[k] &= 511;
    }
    const __m256i magnitudes = four(grid[code[0]], grid[code[1]], grid[code[2]], grid[code[3]]);
    put_codes<IQ2_XS>(magnitudes, sign_bytes(sevens), out->q + 32 * j);
  }
}

template <>
NT_INLINE void Unpack<IQ2_S>::row(const uint8_t* data, int, RowChunk* out) {
  const auto& b = *reinterpret_cast<const IQ2_S::Block*>(data);
  const float d = to_float(b.d);
  for (int j = 0; j < 16; ++j) out->scale[j] = d * (0.5f + static_cast<float>(nibble(b.scales, j))) * 0.25f;
  for (int j = 0; j < 8; ++j) {
    uint64_t g[4];
    for (int k = 0; k < 4; ++k) g[k] = kGrids.iq2_s[b.qs[4 * j + k] | (b.qh[j] >> 2 * k & 3) << 8];
    put_codes<IQ2_S>(four(g[0], g[1], g[2], g[3]), load_u32(b.signs + 4 * j), out->q + 32 * j);
  }
}

template <>
NT_INLINE void Unpack<IQ3_XXS>::row(const uint8_t* data, int, RowChunk* out) {
  const auto& b = *reinterpret_cast<const IQ3_XXS::Block*>(data);
  const float d = to_float(b.d);
  for (int j = 0; j < 8; ++j) {
    const uint32_t signs = load_u32(b.signs + 4 * j);
    out->scale[j] = d * (0.5f + static_cast<float>(signs >> 28)) * 0.5f;
    uint32_t g[8];
    for (int k = 0; k < 8; ++k) g[k] = kGrids.iq3_xxs[b.qs[8 * j + k]];
    put_codes<IQ3_XXS>(load256(g), sign_bytes(signs), out->q + 32 * j);
  }
}

template <>
NT_INLINE void Unpack<IQ3_S>::row(const uint8_t* data, int, RowChunk* out) {
  const auto& b = *reinterpret_cast<const IQ3_S::Block*>(data);
  const float d = to_float(b.d);
  for (int j = 0; j < 8; ++j) {
    out->scale[j] = d * static_cast<float>(1 + 2 * nibble(b.scales, j));
    uint32_t g[8];
    for (int k = 0; k < 8; ++k) g[k] = kGrids.iq3_s[b.qs[8 * j + k] | (b.qh[j] >> k & 1) << 8];
    put_codes<IQ3_S>(load256(g), load_u32(b.signs + 4 * j), out->q + 32 * j);
  }
}

template <>
NT_INLINE void Unpack<IQ1_S>::row(const uint8_t* data, int, RowChunk* out) {
  const auto& b = *reinterpret_cast<const IQ1_S::Block*>(data);
  const float d = to_float(b.d);
  for (int j = 0; j < 8; ++j) {
    const int qh = load_u16(b.qh + 2 * j);
    out->scale[j] = d * static_cast<float>(2 * (qh >> 12 & 7) + 1) * 0.125f;
    uint64_t g[4];
    for (int k = 0; k < 4; ++k) g[k] = kGrids.iq1[b.qs[4 * j + k] | (qh >> 3 * k & 7) << 8];
    put_eighths32<IQ1_S>(four(g[0], g[1], g[2], g[3]), _mm256_set1_epi8(qh & 0x8000 ? -1 : 1), out->q + 32 * j);
  }
}

NT_INLINE HalfTile half_tile(const uint8_t* const* rows, int n_values, WeightTile* tile, int h) {
  HalfTile half = {{}, n_values, tile, 8 * h};
  for (int r = 0; r < 8; ++r) half.rows[r] = rows[8 * h + r];
  return half;
}

}  // namespace
}  // namespace nt::cpu

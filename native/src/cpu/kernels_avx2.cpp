// Matrix products and decoding for AVX2, FMA and F16C. A tile's 16 rows are two vectors of 8; a dot is vpmaddubsw,
// whose 16-bit sums add up for as many groups of 4 values as the format's range allows before vpmaddwd widens them.
//
// Kernels only: internal linkage, no standard containers or functions (see cmake/isa.cmake).
#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include "cpu/kernels.h"
#include "cpu/tile.h"

namespace nt::cpu {

void init_avx2_vectors(Kernels& k);  // vectors_avx2.cpp

namespace {

// ------------------------------------------------------------------------------------------------ small helpers

__m256 broadcast(float x) { return _mm256_set1_ps(x); }

int32_t load_i32(const void* p) {
  int32_t x;
  std::memcpy(&x, p, 4);
  return x;
}

__m256i load256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

void store256(void* p, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }

// 16 bytes of each of 8 rows, transposed by fours: out[j] holds bytes 4j … 4j + 3 of every row.
void transpose16(const uint8_t* const* rows, size_t offset, __m256i* out) {
  __m256i v[4];
  for (int i = 0; i < 4; ++i) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + offset));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i + 4] + offset));
    v[i] = _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  }
  const __m256i a = _mm256_unpacklo_epi32(v[0], v[1]), b = _mm256_unpackhi_epi32(v[0], v[1]);
  const __m256i c = _mm256_unpacklo_epi32(v[2], v[3]), d = _mm256_unpackhi_epi32(v[2], v[3]);
  out[0] = _mm256_unpacklo_epi64(a, c);
  out[1] = _mm256_unpackhi_epi64(a, c);
  out[2] = _mm256_unpacklo_epi64(b, d);
  out[3] = _mm256_unpackhi_epi64(b, d);
}

// The halves at an offset of 8 rows.
__m256 halves(const uint8_t* const* rows, size_t offset) {
  uint16_t h[8];
  for (int i = 0; i < 8; ++i) std::memcpy(h + i, rows[i] + offset, 2);
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h)));
}

// The halves in the low 16 bits of each lane.
__m256 halves(__m256i v) {
  const __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(0xffff));
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, low), 0x08);
  return _mm256_cvtph_ps(_mm256_castsi256_si128(packed));
}

// Byte i of each lane, 0 to 255, as a float.
__m256 byte_of(__m256i v, int i) {
  return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srl_epi32(v, _mm_cvtsi32_si128(8 * i)), _mm256_set1_epi32(255)));
}

__m256 signed_byte_of(__m256i v, int i) {
  return _mm256_cvtepi32_ps(_mm256_srai_epi32(_mm256_sll_epi32(v, _mm_cvtsi32_si128(24 - 8 * i)), 24));
}

__m256i low_nibbles(__m256i v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }

__m256i high_nibbles(__m256i v) { return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)); }

// -------------------------------------------------------------------------------- unpacking one half of a tile

// 8 of the 16 rows of a tile: the rows' blocks at the chunk, and where their part of the tile begins.
struct HalfTile {
  const uint8_t* rows[8];
  int n_values;
  uint8_t* q;    // group g at q + 64·g
  float* scale;  // sub-block s at scale + 16·s
  float* min;
};

void put(const HalfTile& t, int group, __m256i q) { store256(t.q + 64 * group, q); }

void put_scale(const HalfTile& t, int sub, __m256 scale) { _mm256_storeu_ps(t.scale + kTileRows * sub, scale); }

void put_min(const HalfTile& t, int sub, __m256 min) { _mm256_storeu_ps(t.min + kTileRows * sub, min); }

// The formats' own unpack(), row by row, and then transposed.
template <class F>
struct Unpack {
  static void row(const uint8_t* data, int n, RowChunk* out) {
    if (n < kChunk) std::memset(out, 0, sizeof *out);
    unpack_row<F>(data, n, out);
    for (int8_t& q : out->q) q = static_cast<int8_t>(q + F::kBias);
  }

  static void run(const HalfTile& t) {
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
void put_nibbles(const HalfTile& t, size_t offset, int first, int second) {
  __m256i v[4];
  transpose16(t.rows, offset, v);
  for (int j = 0; j < 4; ++j) {
    put(t, first + j, low_nibbles(v[j]));
    put(t, second + j, high_nibbles(v[j]));
  }
}

// The same, through IQ4's table of values.
void put_iq4(const HalfTile& t, size_t offset, int group) {
  alignas(16) int8_t values[16];
  for (int i = 0; i < 16; ++i) values[i] = static_cast<int8_t>(kIq4Values[i] + 128);
  const __m256i table = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(values)));
  __m256i v[4];
  transpose16(t.rows, offset, v);
  for (int j = 0; j < 4; ++j) {
    put(t, group + j, _mm256_shuffle_epi8(table, low_nibbles(v[j])));
    put(t, group + 4 + j, _mm256_shuffle_epi8(table, high_nibbles(v[j])));
  }
}

template <>
void Unpack<Q4_0>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 18 * b));
    put_nibbles(t, 18 * b + 2, 8 * b, 8 * b + 4);
  }
}

template <>
void Unpack<Q4_1>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 20 * b));
    put_min(t, b, _mm256_xor_ps(halves(t.rows, 20 * b + 2), broadcast(-0.0f)));
    put_nibbles(t, 20 * b + 4, 8 * b, 8 * b + 4);
  }
}

template <>
void Unpack<IQ4_NL>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 18 * b));
    put_iq4(t, 18 * b + 2, 8 * b);
  }
}

template <>
void Unpack<Q8_0>::run(const HalfTile& t) {
  const __m256i bias = _mm256_set1_epi8(-128);
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
void put_scales_k4(const HalfTile& t) {
  __m256i v[4];
  transpose16(t.rows, 0, v);
  const __m256 d = halves(v[0]), dmin = halves(_mm256_srli_epi32(v[0], 16));
  const __m256i six = _mm256_set1_epi8(63), two = _mm256_set1_epi8(0x30);
  const __m256i scale[2] = {_mm256_and_si256(v[1], six),
                            _mm256_or_si256(low_nibbles(v[3]), _mm256_and_si256(_mm256_srli_epi16(v[1], 2), two))};
  const __m256i min[2] = {_mm256_and_si256(v[2], six),
                          _mm256_or_si256(high_nibbles(v[3]), _mm256_and_si256(_mm256_srli_epi16(v[2], 2), two))};
  for (int s = 0; s < 8; ++s) {
    put_scale(t, s, _mm256_mul_ps(d, byte_of(scale[s / 4], s % 4)));
    put_min(t, s, _mm256_mul_ps(dmin, byte_of(min[s / 4], s % 4)));
  }
}

template <>
void Unpack<Q4_K>::run(const HalfTile& t) {
  put_scales_k4(t);
  for (int i = 0; i < 8; ++i) {
    const int group = 16 * (i / 2) + 4 * (i % 2);
    put_nibbles(t, 16 + 16 * i, group, group + 8);
  }
}

template <>
void Unpack<Q5_K>::run(const HalfTile& t) {
  put_scales_k4(t);
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

template <>
void Unpack<Q6_K>::run(const HalfTile& t) {
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
  const __m256 d = halves(t.rows, 208);
  __m256i scale[4];
  transpose16(t.rows, 192, scale);
  for (int s = 0; s < 16; ++s) put_scale(t, s, _mm256_mul_ps(d, signed_byte_of(scale[s / 4], s % 4)));
}

template <>
void Unpack<IQ4_XS>::run(const HalfTile& t) {
  const __m256 d = halves(t.rows, 0);
  alignas(32) int32_t scale[8][8];
  for (int r = 0; r < 8; ++r) {
    const uint8_t* p = t.rows[r];
    for (int s = 0; s < 8; ++s) scale[s][r] = (nibble(p + 4, s) | (load_u16(p + 2) >> 2 * s & 3) << 4) - 32;
  }
  for (int s = 0; s < 8; ++s) {
    put_scale(t, s, _mm256_mul_ps(d, _mm256_cvtepi32_ps(load256(scale[s]))));
    put_iq4(t, 8 + 16 * s, 8 * s);
  }
}

// The fifth bits of a block of Q5_0 or Q5_1, as 16 in each byte of group g.
__m256i fifth_bits(__m256i qh, int g) {
  const __m256i spread = _mm256_set1_epi32(0x01010101 * (g / 2));
  const __m256i lanes = _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0c0c0c0c, 0, 0x04040404, 0x08080808, 0x0c0c0c0c);
  const __m256i bit = _mm256_set1_epi32(g % 2 ? static_cast<int32_t>(0x80402010) : 0x08040201);
  const __m256i all = _mm256_shuffle_epi8(qh, _mm256_add_epi8(spread, lanes));
  return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit), _mm256_set1_epi8(16));
}

// 4 bytes of fifth bits and 16 of nibbles at an offset: block b.
void put_q5(const HalfTile& t, size_t offset, int b) {
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
void Unpack<Q5_0>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 22 * b));
    put_q5(t, 22 * b + 2, b);
  }
}

template <>
void Unpack<Q5_1>::run(const HalfTile& t) {
  for (int b = 0; b < t.n_values / 32; ++b) {
    put_scale(t, b, halves(t.rows, 24 * b));
    put_min(t, b, _mm256_xor_ps(halves(t.rows, 24 * b + 2), broadcast(-0.0f)));
    put_q5(t, 24 * b + 4, b);
  }
}

template <>
void Unpack<Q2_K>::run(const HalfTile& t) {
  const __m256i two = _mm256_set1_epi8(3);
  const __m256 d = halves(t.rows, 80), dmin = halves(t.rows, 82);
  __m256i v[4];
  transpose16(t.rows, 0, v);
  for (int s = 0; s < 16; ++s) {
    put_scale(t, s, _mm256_mul_ps(d, byte_of(low_nibbles(v[s / 4]), s % 4)));
    put_min(t, s, _mm256_mul_ps(dmin, byte_of(high_nibbles(v[s / 4]), s % 4)));
  }
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
void Unpack<Q3_K>::run(const HalfTile& t) {
  const __m256i two = _mm256_set1_epi8(3), one = _mm256_set1_epi8(1);
  const __m256 d = halves(t.rows, 108);
  __m256i v[4], mask[8];
  transpose16(t.rows, 92, v);  // the 12 bytes of scales are v[1] to v[3]
  for (int i = 0; i < 4; ++i) {
    const __m256i low = i < 2 ? low_nibbles(v[1 + i]) : high_nibbles(v[i - 1]);
    const __m256i high = _mm256_and_si256(_mm256_srl_epi16(v[3], _mm_cvtsi32_si128(2 * i)), two);
    const __m256i six = _mm256_or_si256(low, _mm256_slli_epi16(high, 4));
    for (int j = 0; j < 4; ++j)
      put_scale(t, 4 * i + j, _mm256_mul_ps(d, _mm256_sub_ps(byte_of(six, j), broadcast(32))));
  }
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

__m256i four(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return _mm256_setr_epi64x(static_cast<int64_t>(a), static_cast<int64_t>(b), static_cast<int64_t>(c),
                            static_cast<int64_t>(d));
}

// Stores 32 magnitudes with their signs, bit i for value i, plus the format's bias.
template <class F>
void put_codes(__m256i magnitudes, uint32_t signs, int8_t* q) {
  const __m256i bit = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
  const __m256i spread = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i all = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int32_t>(signs)), spread);
  const __m256i negative = _mm256_cmpeq_epi8(_mm256_and_si256(all, bit), bit);
  const __m256i value = _mm256_sub_epi8(_mm256_xor_si256(magnitudes, negative), negative);
  store256(q, _mm256_add_epi8(value, _mm256_set1_epi8(F::kBias)));
}

// Stores 32 values of −1, 0 or 1 in eighths, plus or minus one eighth, which are the bytes of `delta`.
template <class F>
void put_eighths32(__m256i grid, __m256i delta, int8_t* q) {
  const __m256i eight = _mm256_and_si256(_mm256_slli_epi16(grid, 3), _mm256_set1_epi8(-8));
  store256(q, _mm256_add_epi8(_mm256_add_epi8(eight, delta), _mm256_set1_epi8(F::kBias)));
}

// Four groups of seven sign bits as four bytes, the eighth bit of each making the number of ones even.
uint32_t sign_bytes(uint32_t sevens) {
  const uint32_t x = (sevens & 0x7f) | (sevens << 1 & 0x7f00) | (sevens << 2 & 0x7f0000) | (sevens << 3 & 0x7f000000);
  uint32_t parity = x ^ x >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return x | (parity & 0x01010101) << 7;
}

template <>
void Unpack<IQ2_XXS>::row(const uint8_t* data, int, RowChunk* out) {
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
void Unpack<IQ2_XS>::row(const uint8_t* data, int, RowChunk* out) {
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
void Unpack<IQ2_S>::row(const uint8_t* data, int, RowChunk* out) {
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
void Unpack<IQ3_XXS>::row(const uint8_t* data, int, RowChunk* out) {
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
void Unpack<IQ3_S>::row(const uint8_t* data, int, RowChunk* out) {
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
void Unpack<IQ1_S>::row(const uint8_t* data, int, RowChunk* out) {
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

// ------------------------------------------------------------------------------------------ quantised products

// The largest value of q + bias in a tile, which decides how many vpmaddubsw fit in 16 bits. 255: it does not fit at
// all.
template <class F>
constexpr int kLargest = F::kBias == 128 ? 255 : 127;
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
  while (groups > 1 && groups * 2 * 127 * kLargest < F >> 32767) groups /= 2;
  return groups;
}

// Σ q·a in 16-bit pairs for 4 values of 8 rows.
template <class F>
__m256i multiply(__m256i q, __m256i a) {
  if constexpr (kLargest<F> == 255) {
    q = _mm256_xor_si256(q, _mm256_set1_epi8(-128));  // signed: |q| ≤ 128, and 2·128·127 fits
    return _mm256_maddubs_epi16(_mm256_abs_epi8(q), _mm256_sign_epi8(a, q));
  } else {
    return _mm256_maddubs_epi16(q, a);
  }
}

// Σ q·a over sub-block s for 16 rows and C columns.
template <class F, int C>
void dot_sub(const Tile& tile, const ActivationChunk* a, int s, __m256i (*dot)[2]) {
  constexpr int kGroups = F::kSub / 4, kRun = groups_in_16_bits<F>();
  const __m256i ones = _mm256_set1_epi16(1);
  for (int run = 0; run < kGroups; run += kRun) {
    __m256i part[C][2];
    for (int i = 0; i < kRun; ++i) {
      const int g = s * kGroups + run + i;
      const __m256i q0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(tile.q[g][0]));
      const __m256i q1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(tile.q[g][8]));
      for (int c = 0; c < C; ++c) {
        const __m256i x = _mm256_set1_epi32(load_i32(a[c].q + 4 * g));
        const __m256i p0 = multiply<F>(q0, x), p1 = multiply<F>(q1, x);
        part[c][0] = i ? _mm256_add_epi16(part[c][0], p0) : p0;
        part[c][1] = i ? _mm256_add_epi16(part[c][1], p1) : p1;
      }
    }
    for (int c = 0; c < C; ++c) {
      for (int h = 0; h < 2; ++h) {
        const __m256i wide = _mm256_madd_epi16(part[c][h], ones);
        dot[c][h] = run ? _mm256_add_epi32(dot[c][h], wide) : wide;
      }
    }
  }
}

// Adds the products of n values of a tile with C columns' chunks to out, (C, 16).
template <class F, int C>
void multiply_chunk(const Tile& tile, const ActivationChunk* a, int n, float (*out)[kTileRows]) {
  constexpr bool kScaleEach32 = kActivationBlock<F> == 32;
  constexpr int kBias = kLargest<F> == 255 ? 0 : F::kBias;  // the wide formats' is gone already
  __m256 sum[C][2];
  for (auto& column : sum) column[0] = column[1] = _mm256_setzero_ps();
  for (int s = 0; s < n / F::kSub; ++s) {
    __m256i dot[C][2];
    dot_sub<F, C>(tile, a, s, dot);
    for (int c = 0; c < C; ++c) {
      const int total = F::kSub == 32 ? a[c].sum32[s] : a[c].sum16[s];
      for (int h = 0; h < 2; ++h) {
        if (kBias) dot[c][h] = _mm256_sub_epi32(dot[c][h], _mm256_set1_epi32(kBias * total));
        const __m256 scale = _mm256_load_ps(&tile.scale[s][8 * h]), product = _mm256_cvtepi32_ps(dot[c][h]);
        const __m256 totals = broadcast(static_cast<float>(total));
        if constexpr (kScaleEach32) {
          __m256 term = _mm256_mul_ps(scale, product);
          if (F::kHasMin) term = _mm256_fnmadd_ps(_mm256_load_ps(&tile.min[s][8 * h]), totals, term);
          sum[c][h] = _mm256_fmadd_ps(term, broadcast(a[c].scale[s]), sum[c][h]);
        } else {
          sum[c][h] = _mm256_fmadd_ps(scale, product, sum[c][h]);
          if (F::kHasMin) sum[c][h] = _mm256_fnmadd_ps(_mm256_load_ps(&tile.min[s][8 * h]), totals, sum[c][h]);
        }
      }
    }
  }
  for (int c = 0; c < C; ++c) {
    const __m256 scale = broadcast(kScaleEach32 ? 1 : a[c].scale[0]);
    for (int h = 0; h < 2; ++h) {
      _mm256_store_ps(out[c] + 8 * h, _mm256_fmadd_ps(sum[c][h], scale, _mm256_load_ps(out[c] + 8 * h)));
    }
  }
}

constexpr int kColumns = 4096;  // that one pass over the weights takes

struct alignas(64) Workspace {
  Tile tile;
  float out[kColumns][kTileRows];
};
static_assert(sizeof(Workspace) <= kScratchBytes);

void copy_out(const Matmul& m, int row, int n_rows, int column, int n_cols, const float (*sum)[kTileRows]) {
  for (int c = 0; c < n_cols; ++c) {
    std::memcpy(m.out + (column + c) * m.out_stride + row, sum[c], n_rows * sizeof(float));
  }
}

template <class F>
void unpack_chunk(const Matmul& m, int row, int i, Tile* tile) {
  for (int h = 0; h < 2; ++h) {
    HalfTile half = {{}, chunk_values(m.n_values, i), tile->q[0][8 * h], &tile->scale[0][8 * h], &tile->min[0][8 * h]};
    for (int r = 0; r < 8; ++r) {
      // Rows that the matrix lacks repeat its last one; nobody reads their results.
      const size_t index = smaller(row + 8 * h + r, m.n_rows - 1);
      half.rows[r] = m.rows + index * m.row_bytes + i * bytes_of<F>(kChunk);
    }
    Unpack<F>::run(half);
  }
}

template <class F>
void matmul(const Matmul& m) {
  Workspace& w = *static_cast<Workspace*>(m.scratch);
  for (int column = 0; column < m.n_cols; column += kColumns) {
    const int n_cols = smaller(kColumns, m.n_cols - column);
    for (int row = 0; row < m.n_rows; row += kTileRows) {
      std::memset(w.out, 0, n_cols * sizeof *w.out);
      for (int i = 0; i < n_chunks(m.n_values); ++i) {
        unpack_chunk<F>(m, row, i, &w.tile);
        const ActivationChunk* a = m.q + i * m.q_stride + column;
        const int n = chunk_values(m.n_values, i);
        int c = 0;
        for (; c + 4 <= n_cols; c += 4) multiply_chunk<F, 4>(w.tile, a + c, n, w.out + c);
        for (; c + 2 <= n_cols; c += 2) multiply_chunk<F, 2>(w.tile, a + c, n, w.out + c);
        if (c < n_cols) multiply_chunk<F, 1>(w.tile, a + c, n, w.out + c);
      }
      copy_out(m, row, smaller(kTileRows, m.n_rows - row), column, n_cols, w.out);
    }
  }
}

// ----------------------------------------------------------------------------------------------- float products

template <class F>
void decode_values(const uint8_t* row, size_t n, float* out) {
  decode_row<F>(row, n, out);
}

template <>
void decode_values<F16>(const uint8_t* row, size_t n, float* out) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 2 * i))));
  }
  for (; i < n; ++i) out[i] = half_to_float(load_u16(row + 2 * i));
}

struct alignas(64) FloatWorkspace {
  FloatTile tile;
  float rows[kTileRows][kChunk];
  float out[kColumns][kTileRows];
};
static_assert(sizeof(FloatWorkspace) <= kScratchBytes);

template <class F>
void decode_chunk(const Matmul& m, int row, int i, FloatWorkspace* w) {
  const int n = chunk_values(m.n_values, i);
  const uint8_t* rows[kTileRows];
  for (int r = 0; r < kTileRows; ++r) {
    const size_t index = smaller(row + r, m.n_rows - 1);
    decode_values<F>(m.rows + index * m.row_bytes + i * bytes_of<F>(kChunk), static_cast<size_t>(n), w->rows[r]);
    rows[r] = reinterpret_cast<const uint8_t*>(w->rows[r]);
  }
  for (int k = 0; k < n; k += 4) {  // the last may transpose what an earlier chunk left; nobody reads it
    for (int h = 0; h < 2; ++h) {
      __m256i v[4];
      transpose16(rows + 8 * h, k * sizeof(float), v);
      for (int j = 0; j < 4; ++j) store256(&w->tile.w[k + j][8 * h], v[j]);
    }
  }
}

template <int C>
void multiply_floats(const FloatTile& tile, const float* x, size_t x_stride, int n, float (*out)[kTileRows]) {
  __m256 sum[C][2];
  for (auto& column : sum) column[0] = column[1] = _mm256_setzero_ps();
  for (int k = 0; k < n; ++k) {
    const __m256 w0 = _mm256_load_ps(tile.w[k]), w1 = _mm256_load_ps(tile.w[k] + 8);
    for (int c = 0; c < C; ++c) {
      const __m256 v = broadcast(x[c * x_stride + k]);
      sum[c][0] = _mm256_fmadd_ps(w0, v, sum[c][0]);
      sum[c][1] = _mm256_fmadd_ps(w1, v, sum[c][1]);
    }
  }
  for (int c = 0; c < C; ++c) {
    for (int h = 0; h < 2; ++h)
      _mm256_store_ps(out[c] + 8 * h, _mm256_add_ps(sum[c][h], _mm256_load_ps(out[c] + 8 * h)));
  }
}

template <class F>
void matmul_float(const Matmul& m) {
  FloatWorkspace& w = *static_cast<FloatWorkspace*>(m.scratch);
  std::memset(w.rows, 0, sizeof w.rows);
  for (int column = 0; column < m.n_cols; column += kColumns) {
    const int n_cols = smaller(kColumns, m.n_cols - column);
    for (int row = 0; row < m.n_rows; row += kTileRows) {
      std::memset(w.out, 0, n_cols * sizeof *w.out);
      for (int i = 0; i < n_chunks(m.n_values); ++i) {
        decode_chunk<F>(m, row, i, &w);
        const float* x = m.x + column * m.x_stride + i * kChunk;
        const int n = chunk_values(m.n_values, i);
        int c = 0;
        for (; c + 4 <= n_cols; c += 4) multiply_floats<4>(w.tile, x + c * m.x_stride, m.x_stride, n, w.out + c);
        for (; c < n_cols; ++c) multiply_floats<1>(w.tile, x + c * m.x_stride, m.x_stride, n, w.out + c);
      }
      copy_out(m, row, smaller(kTileRows, m.n_rows - row), column, n_cols, w.out);
    }
  }
}

}  // namespace

void init_avx2(Kernels& k) {
#define X(format, id, values, bytes)    \
  k.decode[id] = decode_values<format>; \
  k.matmul_float[id] = matmul_float<format>;
  NT_FORMATS(X)
#undef X
#define X(format, id, values, bytes) k.matmul[id] = matmul<format>;
  NT_QUANTIZED_FORMATS(X)
#undef X
  init_avx2_vectors(k);
}

}  // namespace nt::cpu

#endif

// AVX-512: weights of 16 rows unpacked into tiles. One vector holds 4 consecutive values of 16 rows, so that the file's
// bytes are transposed while they are still packed, four bytes of 16 rows to a vector, and only then taken apart.
#pragma once

#include <immintrin.h>

#include "cpu/tile.h"
#include "quant/grid_codes.h"

namespace nt::cpu {
namespace {

using V = __m512i;

// 16 rows of weights at the chunk in question.
struct Rows {
  const uint8_t* p;
  size_t stride;  // bytes from one row to the next

  Rows at(size_t offset) const { return {p + offset, stride}; }
};

inline V load(const void* p) { return _mm512_loadu_si512(p); }
inline void store(void* p, V v) { _mm512_store_si512(p, v); }
inline V bytes(int b) { return _mm512_set1_epi8(static_cast<char>(b)); }
// a | (b & c)
inline V or_and(V a, V b, V c) { return _mm512_ternarylogic_epi32(a, b, c, 0xf8); }

// 16 bytes of rows 0, 4, 8 and 12.
inline V load_quad(const uint8_t* p, size_t stride) {
  const auto lane = [&](int i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i * 4 * stride)); };
  V v = _mm512_castsi128_si512(lane(0));
  v = _mm512_inserti32x4(v, lane(1), 1);
  v = _mm512_inserti32x4(v, lane(2), 2);
  return _mm512_inserti32x4(v, lane(3), 3);
}

// 16 bytes of 16 rows, transposed: out[i] holds bytes 4i … 4i+3 of each row. Four 4 × 4 transpositions of dwords, one a
// 128-bit lane: half the shuffles of a whole 16 × 16 one, and the lanes are put together by loads.
inline void load_16_bytes(Rows r, V* out) {
  const V a = load_quad(r.p, r.stride), b = load_quad(r.p + r.stride, r.stride);
  const V c = load_quad(r.p + 2 * r.stride, r.stride), d = load_quad(r.p + 3 * r.stride, r.stride);
  const V ab = _mm512_unpacklo_epi32(a, b), AB = _mm512_unpackhi_epi32(a, b);
  const V cd = _mm512_unpacklo_epi32(c, d), CD = _mm512_unpackhi_epi32(c, d);
  out[0] = _mm512_unpacklo_epi64(ab, cd);
  out[1] = _mm512_unpackhi_epi64(ab, cd);
  out[2] = _mm512_unpacklo_epi64(AB, CD);
  out[3] = _mm512_unpackhi_epi64(AB, CD);
}

inline void load_32_bytes(Rows r, V* out) {
  load_16_bytes(r, out);
  load_16_bytes(r.at(16), out + 4);
}

// Two bytes of 16 rows.
inline __m256i load_2_bytes(Rows r) {
  const auto word = [&](int i) {
    uint16_t w;
    std::memcpy(&w, r.p + i * r.stride, 2);
    return static_cast<short>(w);
  };
  return _mm256_setr_epi16(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7), word(8), word(9),
                           word(10), word(11), word(12), word(13), word(14), word(15));
}

// Four bytes of 16 rows.
inline V load_4_bytes(Rows r) {
  const auto dword = [&](int i) {
    int w;
    std::memcpy(&w, r.p + i * r.stride, 4);
    return w;
  };
  return _mm512_setr_epi32(dword(0), dword(1), dword(2), dword(3), dword(4), dword(5), dword(6), dword(7), dword(8),
                           dword(9), dword(10), dword(11), dword(12), dword(13), dword(14), dword(15));
}

inline __m512 load_half(Rows r) { return _mm512_cvtph_ps(load_2_bytes(r)); }
inline __m512 low_half(V v) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(v)); }
inline __m512 high_half(V v) { return low_half(_mm512_srli_epi32(v, 16)); }

// Byte i of each dword as a float.
inline __m512 byte_to_float(V v, int i) {
  return _mm512_cvtepi32_ps(
      _mm512_and_si512(_mm512_srli_epi32(v, static_cast<unsigned>(8 * i)), _mm512_set1_epi32(255)));
}
inline __m512 signed_byte_to_float(V v, int i) {
  return _mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(v, static_cast<unsigned>(24 - 8 * i)), 24));
}

inline V low_nibbles(V v) { return _mm512_and_si512(v, bytes(15)); }
inline V high_nibbles(V v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), bytes(15)); }

// Any format: the scalar unpack, then a transposition.
template <class F>
struct Unpack {
  static void tile(Rows r, int n_values, Tile* t) {
    RowChunk row[kTileRows];
    for (int i = 0; i < kTileRows; ++i) unpack_row<F>(r.p + i * r.stride, n_values, &row[i]);
    const Rows chunks = {reinterpret_cast<const uint8_t*>(row), sizeof(RowChunk)};
    for (int k = 0; k < n_values; k += 16) {
      V v[4];
      load_16_bytes(chunks.at(static_cast<size_t>(k)), v);
      for (int i = 0; i < 4; ++i) store(t->q[k / 4 + i], _mm512_add_epi8(v[i], bytes(F::kBias)));
    }
    for (int s = 0; s < n_values / F::kSub; s += 4) {
      V v[4];
      load_16_bytes(chunks.at(offsetof(RowChunk, scale) + 4 * static_cast<size_t>(s)), v);
      for (int i = 0; i < 4; ++i) store(t->scale[s + i], v[i]);
      if (!F::kHasMin) continue;
      load_16_bytes(chunks.at(offsetof(RowChunk, min) + 4 * static_cast<size_t>(s)), v);
      for (int i = 0; i < 4; ++i) store(t->min[s + i], v[i]);
    }
  }
};

// Formats with 32 values a block: `Block` unpacks sub-block j.
template <class F, void (*unpack_block)(Rows, int, Tile*)>
struct UnpackSmall {
  static void tile(Rows r, int n_values, Tile* t) {
    for (int j = 0; j < n_values / 32; ++j) unpack_block(r.at(j * sizeof(typename F::Block)), j, t);
  }
};

inline void q8_0_block(Rows r, int j, Tile* t) {
  _mm512_store_ps(t->scale[j], load_half(r));
  V v[8];
  load_32_bytes(r.at(2), v);
  for (int i = 0; i < 8; ++i) store(t->q[8 * j + i], _mm512_xor_si512(v[i], bytes(128)));
}
template <>
struct Unpack<Q8_0> : UnpackSmall<Q8_0, q8_0_block> {};

inline void nibbles_16(Rows r, int j, Tile* t) {
  V v[4];
  load_16_bytes(r, v);
  for (int i = 0; i < 4; ++i) {
    store(t->q[8 * j + i], low_nibbles(v[i]));
    store(t->q[8 * j + 4 + i], high_nibbles(v[i]));
  }
}

inline void q4_0_block(Rows r, int j, Tile* t) {
  _mm512_store_ps(t->scale[j], load_half(r));
  nibbles_16(r.at(2), j, t);
}
template <>
struct Unpack<Q4_0> : UnpackSmall<Q4_0, q4_0_block> {};

// d and m of a block; the tile wants −m.
inline void scale_and_offset(Rows r, int j, Tile* t) {
  const V d_m = load_4_bytes(r);
  _mm512_store_ps(t->scale[j], low_half(d_m));
  _mm512_store_ps(t->min[j], _mm512_xor_ps(high_half(d_m), _mm512_set1_ps(-0.0f)));
}

inline void q4_1_block(Rows r, int j, Tile* t) {
  scale_and_offset(r, j, t);
  nibbles_16(r.at(4), j, t);
}
template <>
struct Unpack<Q4_1> : UnpackSmall<Q4_1, q4_1_block> {};

// Nibbles whose fifth bits are the 32 bits before them.
inline void five_bits_16(Rows r, int j, Tile* t) {
  const V high = load_4_bytes(r);
  V v[4];
  load_16_bytes(r.at(4), v);
  for (int i = 0; i < 8; ++i) {
    // Values 4i … 4i+3 have bits 4i … 4i+3: the byte that holds them four times over, one bit tested in each.
    const V copies = _mm512_shuffle_epi8(
        high, _mm512_set4_epi32(0x0c0c0c0c + 0x01010101 * (i / 2), 0x08080808 + 0x01010101 * (i / 2),
                                0x04040404 + 0x01010101 * (i / 2), 0x01010101 * (i / 2)));
    const __mmask64 set =
        _mm512_test_epi8_mask(copies, _mm512_set1_epi32(static_cast<int>(i % 2 ? 0x80402010u : 0x08040201u)));
    const V low = i < 4 ? low_nibbles(v[i]) : high_nibbles(v[i - 4]);
    store(t->q[8 * j + i], _mm512_mask_add_epi8(low, set, low, bytes(16)));
  }
}

inline void q5_0_block(Rows r, int j, Tile* t) {
  _mm512_store_ps(t->scale[j], load_half(r));
  five_bits_16(r.at(2), j, t);
}
template <>
struct Unpack<Q5_0> : UnpackSmall<Q5_0, q5_0_block> {};

inline void q5_1_block(Rows r, int j, Tile* t) {
  scale_and_offset(r, j, t);
  five_bits_16(r.at(4), j, t);
}
template <>
struct Unpack<Q5_1> : UnpackSmall<Q5_1, q5_1_block> {};

// Nibbles that are indices into IQ4's levels.
inline void iq4_levels_16(Rows r, int j, Tile* t) {
  const V levels = _mm512_add_epi8(
      _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values))), bytes(IQ4_NL::kBias));
  V v[4];
  load_16_bytes(r, v);
  for (int i = 0; i < 4; ++i) {
    store(t->q[8 * j + i], _mm512_shuffle_epi8(levels, low_nibbles(v[i])));
    store(t->q[8 * j + 4 + i], _mm512_shuffle_epi8(levels, high_nibbles(v[i])));
  }
}

inline void iq4_nl_block(Rows r, int j, Tile* t) {
  _mm512_store_ps(t->scale[j], load_half(r));
  iq4_levels_16(r.at(2), j, t);
}
template <>
struct Unpack<IQ4_NL> : UnpackSmall<IQ4_NL, iq4_nl_block> {};

template <>
struct Unpack<IQ4_XS> {
  static void tile(Rows r, int, Tile* t) {
    const V head = load_4_bytes(r), low = load_4_bytes(r.at(4));
    const __m512 d = low_half(head);
    for (int j = 0; j < 8; ++j) {
      const V l = _mm512_and_si512(_mm512_srli_epi32(low, static_cast<unsigned>(4 * j)), _mm512_set1_epi32(15));
      const V h = _mm512_slli_epi32(_mm512_srli_epi32(head, static_cast<unsigned>(16 + 2 * j)), 4);
      const V s = _mm512_sub_epi32(or_and(l, h, _mm512_set1_epi32(48)), _mm512_set1_epi32(32));
      _mm512_store_ps(t->scale[j], _mm512_mul_ps(d, _mm512_cvtepi32_ps(s)));
      iq4_levels_16(r.at(8 + 16 * static_cast<size_t>(j)), j, t);
    }
  }
};

// The 16 bytes that Q4_K and Q5_K begin with: see scale_min_k4().
inline void scales_k4(Rows r, Tile* t) {
  V h[4];
  load_16_bytes(r, h);
  const __m512 d = low_half(h[0]), dmin = high_half(h[0]);
  const V six = bytes(63), upper = bytes(48);
  const V scale[2] = {_mm512_and_si512(h[1], six), or_and(low_nibbles(h[3]), _mm512_srli_epi32(h[1], 2), upper)};
  const V min[2] = {_mm512_and_si512(h[2], six), or_and(high_nibbles(h[3]), _mm512_srli_epi32(h[2], 2), upper)};
  for (int j = 0; j < 8; ++j) {
    _mm512_store_ps(t->scale[j], _mm512_mul_ps(d, byte_to_float(scale[j / 4], j % 4)));
    _mm512_store_ps(t->min[j], _mm512_mul_ps(dmin, byte_to_float(min[j / 4], j % 4)));
  }
}

template <>
struct Unpack<Q4_K> {
  static void tile(Rows r, int, Tile* t) {
    scales_k4(r, t);
    for (int g = 0; g < 4; ++g) {
      V v[8];
      load_32_bytes(r.at(16 + 32 * static_cast<size_t>(g)), v);
      for (int i = 0; i < 8; ++i) {
        store(t->q[16 * g + i], low_nibbles(v[i]));
        store(t->q[16 * g + 8 + i], high_nibbles(v[i]));
      }
    }
  }
};

template <>
struct Unpack<Q5_K> {
  static void tile(Rows r, int, Tile* t) {
    scales_k4(r, t);
    V fifth[8];
    load_32_bytes(r.at(16), fifth);
    for (int g = 0; g < 4; ++g) {
      V v[8];
      load_32_bytes(r.at(48 + 32 * static_cast<size_t>(g)), v);
      for (int i = 0; i < 8; ++i) {
        // Bits 2g and 2g+1 lie lowest; the bytes' own bits only ever move down or into the masked-off ones.
        store(t->q[16 * g + i], or_and(low_nibbles(v[i]), _mm512_slli_epi32(fifth[i], 4), bytes(16)));
        store(t->q[16 * g + 8 + i], or_and(high_nibbles(v[i]), _mm512_slli_epi32(fifth[i], 3), bytes(16)));
        fifth[i] = _mm512_srli_epi32(fifth[i], 2);
      }
    }
  }
};

template <>
struct Unpack<Q6_K> {
  static void tile(Rows r, int, Tile* t) {
    const __m512 d = load_half(r.at(208));
    V s[4];
    load_16_bytes(r.at(192), s);
    for (int i = 0; i < 16; ++i) _mm512_store_ps(t->scale[i], _mm512_mul_ps(d, signed_byte_to_float(s[i / 4], i % 4)));
    for (int h = 0; h < 2; ++h) {
      V high[8];
      load_32_bytes(r.at(128 + 32 * static_cast<size_t>(h)), high);
      for (int g = 0; g < 2; ++g) {  // values 32g + l and 64 + 32g + l of this half
        V v[8];
        load_32_bytes(r.at(64 * static_cast<size_t>(h) + 32 * static_cast<size_t>(g)), v);
        uint8_t(*q)[kTileRows][4] = t->q + 32 * h + 8 * g;
        for (int i = 0; i < 8; ++i) {
          const V first = g ? _mm512_slli_epi32(high[i], 2) : _mm512_slli_epi32(high[i], 4);
          const V second = g ? _mm512_srli_epi32(high[i], 2) : high[i];
          store(q[i], or_and(low_nibbles(v[i]), first, bytes(48)));
          store(q[16 + i], or_and(high_nibbles(v[i]), second, bytes(48)));
        }
      }
    }
  }
};

template <>
struct Unpack<Q2_K> {
  static void tile(Rows r, int, Tile* t) {
    const V d_dmin = load_4_bytes(r.at(80));
    const __m512 d = low_half(d_dmin), dmin = high_half(d_dmin);
    V s[4];
    load_16_bytes(r, s);
    for (int i = 0; i < 16; ++i) {
      _mm512_store_ps(t->scale[i], _mm512_mul_ps(d, byte_to_float(low_nibbles(s[i / 4]), i % 4)));
      _mm512_store_ps(t->min[i], _mm512_mul_ps(dmin, byte_to_float(high_nibbles(s[i / 4]), i % 4)));
    }
    for (int h = 0; h < 2; ++h) {
      V v[8];
      load_32_bytes(r.at(16 + 32 * static_cast<size_t>(h)), v);
      for (int j = 0; j < 4; ++j) {
        for (int i = 0; i < 8; ++i) {
          store(t->q[32 * h + 8 * j + i], _mm512_and_si512(v[i], bytes(3)));
          v[i] = _mm512_srli_epi32(v[i], 2);
        }
      }
    }
  }
};

template <>
struct Unpack<Q3_K> {
  static void tile(Rows r, int, Tile* t) {
    const __m512 d = load_half(r.at(108));
    const V low[2] = {load_4_bytes(r.at(96)), load_4_bytes(r.at(100))}, high = load_4_bytes(r.at(104));
    for (int i = 0; i < 4; ++i) {  // scales 4i … 4i+3
      const V l = i < 2 ? low_nibbles(low[i]) : high_nibbles(low[i - 2]);
      const V h =
          _mm512_slli_epi16(_mm512_and_si512(_mm512_srli_epi32(high, static_cast<unsigned>(2 * i)), bytes(3)), 4);
      const V s = _mm512_sub_epi8(_mm512_or_si512(l, h), bytes(32));
      for (int j = 0; j < 4; ++j) _mm512_store_ps(t->scale[4 * i + j], _mm512_mul_ps(d, signed_byte_to_float(s, j)));
    }
    V mask[8];
    load_32_bytes(r, mask);
    for (int h = 0; h < 2; ++h) {
      V v[8];
      load_32_bytes(r.at(32 + 32 * static_cast<size_t>(h)), v);
      for (int j = 0; j < 4; ++j) {
        for (int i = 0; i < 8; ++i) {
          const V third = _mm512_slli_epi32(mask[i], 2);  // bit 4h + j lies lowest
          store(t->q[32 * h + 8 * j + i], or_and(_mm512_and_si512(v[i], bytes(3)), third, bytes(4)));
          v[i] = _mm512_srli_epi32(v[i], 2);
          mask[i] = _mm512_srli_epi32(mask[i], 1);
        }
      }
    }
  }
};

// The eight signs of a group from seven, in each byte: see sign_pattern().
inline V sign_patterns(V sevens) {
  const V odd =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, -128, -128, 0, -128, 0, 0, -128, -128, 0, 0, -128, 0, -128, -128, 0));
  const V parity =
      _mm512_xor_si512(_mm512_shuffle_epi8(odd, low_nibbles(sevens)), _mm512_shuffle_epi8(odd, high_nibbles(sevens)));
  return _mm512_or_si512(sevens, parity);
}

// Four sets of seven bits, the lowest first, to a byte each.
inline V spread_sevens(V v) {
  V s = _mm512_and_si512(v, _mm512_set1_epi32(0x7f));
  s = or_and(s, _mm512_slli_epi32(v, 1), _mm512_set1_epi32(0x7f00));
  s = or_and(s, _mm512_slli_epi32(v, 2), _mm512_set1_epi32(0x7f0000));
  return or_and(s, _mm512_slli_epi32(v, 3), _mm512_set1_epi32(0x7f000000));
}

// Byte `i` of each dword, four times.
inline V repeat_byte(V v, int i) {
  const int c = 0x01010101 * i;
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0c0c0c0c + c, 0x08080808 + c, 0x04040404 + c, c));
}

// IQ2_XXS: an index stands for 8 values of 3 levels, which is 16 bits, so that the code book is 8 vectors of words and
// looking up 32 indices takes four permutations. A gather for each 8 values would take longer than all the rest.
template <>
struct Unpack<IQ2_XXS> {
  // Codes of 32 indices.
  static V look_up(V index) {
    const auto half = [&](int i) {
      const uint16_t* t = codes::iq2_xxs + 128 * i;
      const V a = _mm512_permutex2var_epi16(load(t), index, load(t + 32));
      const V b = _mm512_permutex2var_epi16(load(t + 64), index, load(t + 96));
      return _mm512_mask_blend_epi16(_mm512_test_epi16_mask(index, _mm512_set1_epi16(64)), a, b);
    };
    return _mm512_mask_blend_epi16(_mm512_test_epi16_mask(index, _mm512_set1_epi16(128)), half(0), half(1));
  }

  // Biased levels, where a number 0–3 lies in the low two bits of a nibble or in the next two.
  static V levels(int sign) {
    const auto& l = codes::iq2_xxs_levels;
    const auto q = [&](int i) { return static_cast<char>(IQ2_XXS::kBias + sign * l[i]); };
    return _mm512_broadcast_i32x4(_mm_setr_epi8(q(0), q(1), q(2), 0, q(1), 0, 0, 0, q(2), 0, 0, 0, 0, 0, 0, 0));
  }

  // Four values of each row from byte `i` of `code`.
  static V values(V code, int i, __mmask64 negative) {
    // Twice the byte as a word; then moved down by 0 and 4, so that the numbers are at bits 0, 2, 0, 2 of the four
    // bytes.
    const V pairs = _mm512_srlv_epi16(repeat_byte(code, i), _mm512_set1_epi32(0x00040000));
    const V number = _mm512_and_si512(pairs, _mm512_set1_epi32(0x0c030c03));
    return _mm512_mask_shuffle_epi8(_mm512_shuffle_epi8(levels(1), number), negative, levels(-1), number);
  }

  static void sub_block(V index, V signs_scale, int j, Tile* t) {
    const V even = look_up(_mm512_and_si512(index, _mm512_set1_epi16(255))), odd = look_up(_mm512_srli_epi16(index, 8));
    const V signs = sign_patterns(spread_sevens(signs_scale));
    for (int g = 0; g < 4; ++g) {
      const V code = g % 2 ? odd : even, s = repeat_byte(signs, g);
      const __mmask64 low = _mm512_test_epi8_mask(s, _mm512_set1_epi32(0x08040201));
      const __mmask64 high = _mm512_test_epi8_mask(s, _mm512_set1_epi32(static_cast<int>(0x80402010)));
      store(t->q[8 * j + 2 * g], values(code, g / 2 * 2, low));
      store(t->q[8 * j + 2 * g + 1], values(code, g / 2 * 2 + 1, high));
    }
  }

  static void tile(Rows r, int, Tile* t) {
    const __m512 d = load_half(r);
    for (int i = 0; i < 4; ++i) {
      V v[4];
      load_16_bytes(r.at(2 + 16 * static_cast<size_t>(i)), v);
      for (int j = 0; j < 2; ++j) {
        const __m512 s = _mm512_add_ps(_mm512_set1_ps(0.5f), _mm512_cvtepi32_ps(_mm512_srli_epi32(v[2 * j + 1], 28)));
        _mm512_store_ps(t->scale[2 * i + j], _mm512_mul_ps(_mm512_mul_ps(d, s), _mm512_set1_ps(0.25f)));
        sub_block(v[2 * j], v[2 * j + 1], 2 * i + j, t);
      }
    }
  }
};

}  // namespace
}  // namespace nt::cpu

// AVX-512: weights of 16 rows unpacked into tiles. One vector holds 4 consecutive values of 16 rows, so that the file's
// bytes are transposed while they are still packed, four bytes of 16 rows to a vector, and only then taken apart.
//
// Unpack<F> is made from 16 rows, whose scales it writes to a tile; values(sink) then hands out the integers, biased:
//   sink.put(first, i, v)    v is vector first + i of the tile's q; i is a constant once loops are unrolled, and the
//                            vectors of a sub-block come in order
//   sink.finish(first)       kTogether sub-blocks, from vector first on, are complete
//   Sink::kUnrolled          whether the parts of a block are to be unrolled, too
// so that a product with few columns takes the integers from registers: with up to kDirect, as many as there are
// registers for. 0 for what is looked up in memory; none for Q4_K and Q6_K, which come from a Stream or in pairs then.
#pragma once

#include <immintrin.h>

#include "cpu/kernels_avx512.h"
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

// 16 bytes of rows i, i + 4, i + 8 and i + 12.
NT_INLINE V load_quad(Rows r, size_t i) {
  const auto lane = [&](size_t j) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(r.p + i * r.stride + j * 4 * r.stride));
  };
  const __m256i x = _mm256_inserti128_si256(_mm256_castsi128_si256(lane(0)), lane(1), 1);
  const __m256i y = _mm256_inserti128_si256(_mm256_castsi128_si256(lane(2)), lane(3), 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(x), y, 1);
}

// 32 bytes of the same rows, the first 16 of each in `low`.
NT_INLINE void load_quads(Rows r, size_t i, V& low, V& high) {
  const auto row = [&](size_t j) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(r.p + i * r.stride + j * 4 * r.stride));
  };
  const V x = _mm512_inserti64x4(_mm512_castsi256_si512(row(0)), row(1), 1);
  const V y = _mm512_inserti64x4(_mm512_castsi256_si512(row(2)), row(3), 1);
  low = _mm512_shuffle_i64x2(x, y, 0x88);
  high = _mm512_shuffle_i64x2(x, y, 0xdd);
}

// A step of four that transpose 16 bytes of 16 rows in q, which then holds in q[i] bytes 4i … 4i+3 of each row. Four
// 4 × 4 transpositions of dwords, one a 128-bit lane: half the shuffles of a whole 16 × 16 one, and the lanes are put
// together by loads.
NT_INLINE void transpose_step(V* q, int step) {
  if (step < 2) {
    const V a = q[2 * step], b = q[2 * step + 1];
    q[2 * step] = _mm512_unpacklo_epi32(a, b);
    q[2 * step + 1] = _mm512_unpackhi_epi32(a, b);
  } else if (step == 2) {
    const V a = q[0], b = q[2], c = q[1];
    q[0] = _mm512_unpacklo_epi64(a, b);
    q[1] = _mm512_unpackhi_epi64(a, b);
    q[2] = c;
  } else {
    const V a = q[2], b = q[3];
    q[2] = _mm512_unpacklo_epi64(a, b);
    q[3] = _mm512_unpackhi_epi64(a, b);
  }
}

NT_INLINE void load_16_bytes(Rows r, V* out) {
  NT_UNROLL
  for (int i = 0; i < 4; ++i) out[i] = load_quad(r, static_cast<size_t>(i));
  NT_UNROLL
  for (int i = 0; i < 4; ++i) transpose_step(out, i);
}

// The same to rows of a tile.
NT_INLINE void load_16_bytes(Rows r, float (*out)[kTileRows]) {
  V v[4];
  load_16_bytes(r, v);
  for (int i = 0; i < 4; ++i) store(out[i], v[i]);
}

NT_INLINE void load_32_bytes(Rows r, V* out) {
  load_16_bytes(r, out);
  load_16_bytes(r.at(16), out + 4);
}

// The same by half the loads. Faster for tiles (Zen 5, 16 columns of Q6_K from memory: 272, so 278 G multiply-adds/s),
// not between dots (8 columns of Q5_K: 195, so 174).
NT_INLINE void load_32_bytes_at_once(Rows r, V* out) {
  NT_UNROLL
  for (int i = 0; i < 4; ++i) load_quads(r, static_cast<size_t>(i), out[i], out[4 + i]);
  NT_UNROLL
  for (int i = 0; i < 8; ++i) transpose_step(out + i / 4 * 4, i % 4);
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

// Byte i of each dword.
inline V byte_to_int(V v, int i) {
  const int c = static_cast<int>(0x80808000) + i;
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(c + 12, c + 8, c + 4, c));
}
inline __m512 byte_to_float(V v, int i) { return _mm512_cvtepi32_ps(byte_to_int(v, i)); }
// 2²⁴ times byte i of each dword, with its sign; as a float too, since what is left of the byte needs no shift down
// then.
inline V byte_to_top(V v, int i) {
  const int c = 0x00808080 + (i << 24);
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(c + (12 << 24), c + (8 << 24), c + (4 << 24), c));
}
inline __m512 signed_byte_to_float_24(V v, int i) { return _mm512_cvtepi32_ps(byte_to_top(v, i)); }
inline V signed_byte_to_int(V v, int i) { return _mm512_srai_epi32(byte_to_top(v, i), 24); }

// Bytes 2·i and 2·i + 1 of each dword as words.
inline V widen_pair(V v, int i) {
  const int c = i * 0x020002;
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(static_cast<int>(0x800d800c) + c, static_cast<int>(0x80098008) + c,
                                                  static_cast<int>(0x80058004) + c, static_cast<int>(0x80018000) + c));
}

// The same, with their signs.
inline V widen_signed_pair(V v, int i) {
  const int c = i * 0x02000200;
  const V top =
      _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0d800c80 + c, 0x09800880 + c, 0x05800480 + c, 0x01800080 + c));
  return _mm512_srai_epi16(top, 8);
}

inline V low_nibbles(V v) { return _mm512_and_si512(v, bytes(15)); }
inline V high_nibbles(V v) { return _mm512_and_si512(_mm512_srli_epi16(v, 4), bytes(15)); }

// A tile whose format may have integer mins: then w = scale·q − d_min·m, and min holds m of sub-blocks 2j and 2j + 1 as
// words.
struct WeightTile : Tile {
  alignas(64) float block_min[kTileRows];

  NT_INLINE V m(int j) const { return load(min[j]); }
  NT_INLINE __m512 d_min() const { return _mm512_load_ps(block_min); }
};

// The sink that fills a tile.
struct ToTile {
  static constexpr bool kUnrolled = true;
  WeightTile* tile;
  NT_INLINE void put(int first, int i, V v) { store(tile->q[first + i], v); }
  NT_INLINE void finish(int) {}
};

template <class F>
struct Unpack;

// Calls part(i) for i in [0, N).
template <class Sink, int N, class Part>
NT_INLINE void for_parts(const Part& part) {
  if constexpr (Sink::kUnrolled) {
    NT_UNROLL
    for (int i = 0; i < N; ++i) part(i);
  } else {
    for (int i = 0; i < N; ++i) part(i);
  }
}

inline void scale_alone(Rows r, int j, WeightTile* t) { _mm512_store_ps(t->scale[j], load_half(r)); }

// d and m of a block; the tile wants −m.
inline void scale_and_offset(Rows r, int j, WeightTile* t) {
  const V d_m = load_4_bytes(r);
  _mm512_store_ps(t->scale[j], low_half(d_m));
  _mm512_store_ps(t->min[j], _mm512_xor_ps(high_half(d_m), _mm512_set1_ps(-0.0f)));
}

// Blocks of 32 values: d, m where there are mins, four bytes of fifth bits where the format has them, and the values.
template <class F, bool kFifthBits, class Integers>
struct UnpackBlocks {
  static constexpr int kTogether = 1, kDirect = 8;
  static constexpr size_t kValuesAt = (F::kHasMin ? 4 : 2) + (kFifthBits ? 4 : 0);
  Rows rows;
  int n;

  UnpackBlocks(Rows r, int n_values, WeightTile* t) : rows(r), n(n_values) {
    for (int j = 0; j < n / 32; ++j) (F::kHasMin ? scale_and_offset : scale_alone)(block(j), j, t);
  }

  Rows block(int j) const { return rows.at(static_cast<size_t>(j) * sizeof(typename F::Block)); }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for (int j = 0; j < n / 32; ++j) {
      Integers::block(block(j).at(kValuesAt), 8 * j, sink);
      sink.finish(8 * j);
    }
  }
};

struct Bytes {
  template <class Sink>
  static NT_INLINE void block(Rows r, int first, Sink& sink) {
    V v[8];
    load_32_bytes(r, v);
    NT_UNROLL
    for (int i = 0; i < 8; ++i) sink.put(first, i, _mm512_xor_si512(v[i], bytes(128)));
  }
};

struct Nibbles {
  template <class Sink>
  static NT_INLINE void block(Rows r, int first, Sink& sink) {
    V v[4];
    load_16_bytes(r, v);
    NT_UNROLL
    for (int i = 0; i < 8; ++i) sink.put(first, i, i < 4 ? low_nibbles(v[i]) : high_nibbles(v[i - 4]));
  }
};

// Byte `i` of each dword, four times.
inline V repeat_byte(V v, int i) {
  const int c = 0x01010101 * i;
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(0x0c0c0c0c + c, 0x08080808 + c, 0x04040404 + c, c));
}

// Where bit 4·(i % 2) + b of byte b of each dword is set.
inline __mmask64 test_bits(V v, int i) {
  return _mm512_test_epi8_mask(v, _mm512_set1_epi32(static_cast<int>(i % 2 ? 0x80402010u : 0x08040201u)));
}

// Nibbles, whose fifth bits are the 32 bits before them.
struct FiveBits {
  template <class Sink>
  static NT_INLINE void block(Rows r, int first, Sink& sink) {
    const V fifth = load_4_bytes({r.p - 4, r.stride});
    V v[4];
    load_16_bytes(r, v);
    NT_UNROLL
    for (int i = 0; i < 8; ++i) {
      const V low = i < 4 ? low_nibbles(v[i]) : high_nibbles(v[i - 4]);
      sink.put(first, i, _mm512_mask_add_epi8(low, test_bits(repeat_byte(fifth, i / 2), i), low, bytes(16)));
    }
  }
};

// Nibbles that are indices into IQ4's levels.
struct Iq4Levels {
  template <class Sink>
  static NT_INLINE void block(Rows r, int first, Sink& sink) {
    const __m128i table = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kIq4Values));
    const V levels = _mm512_add_epi8(_mm512_broadcast_i32x4(table), bytes(IQ4_NL::kBias));
    V v[4];
    load_16_bytes(r, v);
    NT_UNROLL
    for (int i = 0; i < 8; ++i) {
      sink.put(first, i, _mm512_shuffle_epi8(levels, i < 4 ? low_nibbles(v[i]) : high_nibbles(v[i - 4])));
    }
  }
};

#define NT_SMALL(F, fifth_bits, integers)                      \
  template <>                                                  \
  struct Unpack<F> : UnpackBlocks<F, fifth_bits, integers> {   \
    using UnpackBlocks<F, fifth_bits, integers>::UnpackBlocks; \
  };
NT_SMALL(Q4_0, false, Nibbles)
NT_SMALL(Q4_1, false, Nibbles)
NT_SMALL(Q5_0, true, FiveBits)
NT_SMALL(Q5_1, true, FiveBits)
NT_SMALL(Q8_0, false, Bytes)
NT_SMALL(IQ4_NL, false, Iq4Levels)
#undef NT_SMALL

template <>
struct Unpack<IQ4_XS> {
  static constexpr int kTogether = 1, kDirect = 8;
  Rows rows;

  Unpack(Rows r, int, WeightTile* t) : rows(r) {
    const V head = load_4_bytes(r), low = load_4_bytes(r.at(4));
    const __m512 d = low_half(head);
    for (unsigned j = 0; j < 8; ++j) {
      const V l = _mm512_and_si512(_mm512_srli_epi32(low, 4 * j), _mm512_set1_epi32(15));
      const V h = _mm512_slli_epi32(_mm512_srli_epi32(head, 16 + 2 * j), 4);
      const V s = _mm512_sub_epi32(or_and(l, h, _mm512_set1_epi32(48)), _mm512_set1_epi32(32));
      _mm512_store_ps(t->scale[j], _mm512_mul_ps(d, _mm512_cvtepi32_ps(s)));
    }
  }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for (int j = 0; j < 8; ++j) {
      Iq4Levels::block(rows.at(8 + 16 * static_cast<size_t>(j)), 8 * j, sink);
      sink.finish(8 * j);
    }
  }
};

// The 16 bytes that Q4_K and Q5_K begin with, of 16 rows: see scale_min_k4(). Scales and mins are a byte each, four
// sub-blocks to a vector.
struct HeadK4 {
  __m512 d, d_min;
  V scale[2], min[2];

  NT_INLINE explicit HeadK4(const V* h) {  // transposed
    const V six = bytes(63), upper = bytes(48);
    d = low_half(h[0]);
    d_min = high_half(h[0]);
    scale[0] = _mm512_and_si512(h[1], six);
    scale[1] = or_and(low_nibbles(h[3]), _mm512_srli_epi32(h[1], 2), upper);
    min[0] = _mm512_and_si512(h[2], six);
    min[1] = or_and(high_nibbles(h[3]), _mm512_srli_epi32(h[2], 2), upper);
  }
};

inline void scales_k4(Rows r, WeightTile* t) {
  V h[4];
  load_16_bytes(r, h);
  const HeadK4 head(h);
  NT_UNROLL
  for (int j = 0; j < 8; ++j) {
    _mm512_store_ps(t->scale[j], _mm512_mul_ps(head.d, byte_to_float(head.scale[j / 4], j % 4)));
  }
  NT_UNROLL
  for (int j = 0; j < 4; ++j) store(t->min[j], widen_pair(head.min[j / 2], j % 2));
  _mm512_store_ps(t->block_min, head.d_min);
}

template <>
struct Unpack<Q4_K> {
  Rows rows;

  explicit Unpack(Rows r) : rows(r) {}  // for a sink that reads scales itself
  Unpack(Rows r, int, WeightTile* t) : rows(r) { scales_k4(r, t); }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for_parts<Sink, 4>([&](int g) NT_INLINE_LAMBDA {
      V v[8];
      load_32_bytes_at_once(rows.at(16 + 32 * static_cast<size_t>(g)), v);
      NT_UNROLL
      for (int i = 0; i < 8; ++i) sink.put(16 * g, i, low_nibbles(v[i]));
      sink.finish(16 * g);
      NT_UNROLL
      for (int i = 0; i < 8; ++i) sink.put(16 * g + 8, i, high_nibbles(v[i]));
      sink.finish(16 * g + 8);
    });
  }
};

template <>
struct Unpack<Q5_K> {
  static constexpr int kTogether = 1, kDirect = 8;
  Rows rows;

  Unpack(Rows r, int, WeightTile* t) : rows(r) { scales_k4(r, t); }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    V fifth[8];
    load_32_bytes(rows.at(16), fifth);
    for_parts<Sink, 4>([&](int g) NT_INLINE_LAMBDA {
      V v[8];
      load_32_bytes(rows.at(48 + 32 * static_cast<size_t>(g)), v);
      NT_UNROLL
      for (int i = 0; i < 8; ++i) {  // bits 2g and 2g + 1 of each byte lie lowest
        sink.put(16 * g, i, or_and(low_nibbles(v[i]), _mm512_slli_epi32(fifth[i], 4), bytes(16)));
      }
      sink.finish(16 * g);
      NT_UNROLL
      for (int i = 0; i < 8; ++i) {
        sink.put(16 * g + 8, i, or_and(high_nibbles(v[i]), _mm512_slli_epi32(fifth[i], 3), bytes(16)));
        fifth[i] = _mm512_srli_epi32(fifth[i], 2);
      }
      sink.finish(16 * g + 8);
    });
  }
};

// Q6_K's scales of 16 rows, a byte each, four sub-blocks to a vector. Returns d.
NT_INLINE __m512 scales_q6(Rows r, V* scales) {
  V end[4];
  load_16_bytes(r.at(192), scales);
  load_16_bytes(r.at(194), end);  // d is their last two: cheaper than two bytes of 16 rows by themselves
  return high_half(end[3]);
}

template <>
struct Unpack<Q6_K> {
  Rows rows;

  explicit Unpack(Rows r) : rows(r) {}  // as that of Q4_K
  Unpack(Rows r, int, WeightTile* t) : rows(r) {
    V s[4];
    const __m512 d = _mm512_mul_ps(scales_q6(r, s), _mm512_set1_ps(0x1p-24f));
    NT_UNROLL
    for (int i = 0; i < 16; ++i) {
      _mm512_store_ps(t->scale[i], _mm512_mul_ps(d, signed_byte_to_float_24(s[i / 4], i % 4)));
    }
  }

  // Half a block at a time, and of it 32 bytes of nibbles, whose sub-blocks come one after another.
  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for_parts<Sink, 2>([&](int h) NT_INLINE_LAMBDA {
      V upper[8];
      load_32_bytes_at_once(rows.at(static_cast<size_t>(128 + 32 * h)), upper);
      NT_UNROLL
      for (int j = 0; j < 2; ++j) {
        V v[8];
        load_32_bytes_at_once(rows.at(static_cast<size_t>(64 * h + 32 * j)), v);
        NT_UNROLL
        for (int l = 0; l < 8; l += 4) {
          const int first = 32 * h + 8 * j + l;
          NT_UNROLL
          for (int i = 0; i < 4; ++i) sink.put(first, i, sixbits(low_nibbles(v[l + i]), upper[l + i], 4 - 2 * j));
          sink.finish(first);
          NT_UNROLL
          for (int i = 0; i < 4; ++i) sink.put(first + 16, i, sixbits(high_nibbles(v[l + i]), upper[l + i], -2 * j));
          sink.finish(first + 16);
        }
      }
    });
  }

  // Nibbles with the two bits that come to lie at 4 and 5 of each byte after a shift to the left.
  static NT_INLINE V sixbits(V nibbles, V upper, int left) {
    const V at_4 = left >= 0 ? _mm512_slli_epi32(upper, static_cast<unsigned>(left))
                             : _mm512_srli_epi32(upper, static_cast<unsigned>(-left));
    return or_and(nibbles, at_4, bytes(48));
  }
};

template <>
struct Unpack<Q2_K> {
  static constexpr int kTogether = 2, kDirect = 4;
  Rows rows;

  Unpack(Rows r, int, WeightTile* t) : rows(r) {
    const V d_dmin = load_4_bytes(r.at(80));
    const __m512 d = low_half(d_dmin), dmin = high_half(d_dmin);
    V s[4];
    load_16_bytes(r, s);
    NT_UNROLL
    for (int i = 0; i < 16; ++i) {
      _mm512_store_ps(t->scale[i], _mm512_mul_ps(d, byte_to_float(low_nibbles(s[i / 4]), i % 4)));
      _mm512_store_ps(t->min[i], _mm512_mul_ps(dmin, byte_to_float(high_nibbles(s[i / 4]), i % 4)));
    }
  }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for (int h = 0; h < 2; ++h) {
      V v[8];
      load_32_bytes(rows.at(16 + 32 * static_cast<size_t>(h)), v);
      for (int j = 0; j < 4; ++j) {
        NT_UNROLL
        for (int i = 0; i < 8; ++i) {
          sink.put(32 * h + 8 * j, i, _mm512_and_si512(v[i], bytes(3)));
          v[i] = _mm512_srli_epi32(v[i], 2);
        }
        sink.finish(32 * h + 8 * j);
      }
    }
  }
};

template <>
struct Unpack<Q3_K> {
  static constexpr int kTogether = 2, kDirect = 4;
  Rows rows;

  Unpack(Rows r, int, WeightTile* t) : rows(r) {
    const __m512 d = _mm512_mul_ps(load_half(r.at(108)), _mm512_set1_ps(0x1p-24f));
    const V low[2] = {load_4_bytes(r.at(96)), load_4_bytes(r.at(100))}, high = load_4_bytes(r.at(104));
    for (int i = 0; i < 4; ++i) {  // scales 4i … 4i + 3
      const V l = i < 2 ? low_nibbles(low[i]) : high_nibbles(low[i - 2]);
      const V h = _mm512_and_si512(_mm512_srli_epi32(high, static_cast<unsigned>(2 * i)), bytes(3));
      const V s = _mm512_sub_epi8(_mm512_or_si512(l, _mm512_slli_epi16(h, 4)), bytes(32));
      NT_UNROLL
      for (int j = 0; j < 4; ++j) {
        _mm512_store_ps(t->scale[4 * i + j], _mm512_mul_ps(d, signed_byte_to_float_24(s, j)));
      }
    }
  }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    V third[8];  // of each byte, bit 4h + j lies lowest
    load_32_bytes(rows, third);
    for (int h = 0; h < 2; ++h) {
      V v[8];
      load_32_bytes(rows.at(32 + 32 * static_cast<size_t>(h)), v);
      for (int j = 0; j < 4; ++j) {
        NT_UNROLL
        for (int i = 0; i < 8; ++i) {
          const V low = _mm512_and_si512(v[i], bytes(3));
          sink.put(32 * h + 8 * j, i, or_and(low, _mm512_slli_epi32(third[i], 2), bytes(4)));
          v[i] = _mm512_srli_epi32(v[i], 2);
          third[i] = _mm512_srli_epi32(third[i], 1);
        }
        sink.finish(32 * h + 8 * j);
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

// IQ2_XXS: an index stands for 8 values of 3 levels, which is 16 bits, so that the code book is 8 vectors of words and
// looking up 32 indices takes four permutations. A gather for each 8 values would take longer than all the rest.
template <>
struct Unpack<IQ2_XXS> {
  static constexpr int kTogether = 1, kDirect = 8;
  Rows rows;
  WeightTile* tile;
  __m512 d;

  Unpack(Rows r, int, WeightTile* t) : rows(r), tile(t), d(load_half(r)) {}

  // Codes of 32 indices.
  static NT_INLINE V look_up(V index) {
    const auto half = [&](int i) {
      const uint16_t* t = codes::iq2_xxs + 128 * i;
      const V a = _mm512_permutex2var_epi16(load(t), index, load(t + 32));
      const V b = _mm512_permutex2var_epi16(load(t + 64), index, load(t + 96));
      return _mm512_mask_blend_epi16(_mm512_test_epi16_mask(index, _mm512_set1_epi16(64)), a, b);
    };
    return _mm512_mask_blend_epi16(_mm512_test_epi16_mask(index, _mm512_set1_epi16(128)), half(0), half(1));
  }

  // Levels, biased, where a number 0–3 lies in the low two bits of a nibble or in the next two.
  static NT_INLINE V levels() {
    const auto q = [](int i) { return static_cast<char>(IQ2_XXS::kBias + codes::iq2_xxs_levels[i]); };
    return _mm512_broadcast_i32x4(_mm_setr_epi8(q(0), q(1), q(2), 0, q(1), 0, 0, 0, q(2), 0, 0, 0, 0, 0, 0, 0));
  }

  // Four values of each row from byte `i` of `code`.
  static NT_INLINE V values_of(V code, int i, __mmask64 negative) {
    // The byte twice in a word; moved down by 0 and 4, so that numbers are at bits 0, 2, 0, 2 of the four bytes.
    const V pairs = _mm512_srlv_epi16(repeat_byte(code, i), _mm512_set1_epi32(0x00040000));
    const V number = _mm512_and_si512(pairs, _mm512_set1_epi32(0x0c030c03));
    const V q = _mm512_shuffle_epi8(levels(), number);
    return _mm512_mask_sub_epi8(q, negative, bytes(2 * IQ2_XXS::kBias), q);
  }

  // The scale lies beside the signs, and is read with them.
  template <class Sink>
  NT_INLINE void sub_block(V index, V signs_scale, int j, Sink& sink) const {
    const __m512 s = _mm512_cvtepi32_ps(_mm512_srli_epi32(signs_scale, 28));
    const __m512 scale = _mm512_mul_ps(d, _mm512_add_ps(_mm512_set1_ps(0.5f), s));
    _mm512_store_ps(tile->scale[j], _mm512_mul_ps(scale, _mm512_set1_ps(0.25f)));
    const V even = look_up(_mm512_and_si512(index, _mm512_set1_epi16(255))), odd = look_up(_mm512_srli_epi16(index, 8));
    const V signs = sign_patterns(spread_sevens(signs_scale));
    NT_UNROLL
    for (int i = 0; i < 8; ++i) {
      const __mmask64 negative = test_bits(repeat_byte(signs, i / 2), i);
      sink.put(8 * j, i, values_of(i / 2 % 2 ? odd : even, i / 4 * 2 + i % 2, negative));
    }
    sink.finish(8 * j);
  }

  template <class Sink>
  NT_INLINE void values(Sink& sink) const {
    for (int j = 0; j < 8; j += 2) {
      V v[4];
      load_16_bytes(rows.at(2 + 8 * static_cast<size_t>(j)), v);
      sub_block(v[0], v[1], j, sink);
      sub_block(v[2], v[3], j + 1, sink);
    }
  }
};

template <class F>
inline void fill_tile(Rows r, int n_values, WeightTile* t) {
  const Unpack<F> u(r, n_values, t);
  ToTile sink{t};
  u.values(sink);
}

}  // namespace
}  // namespace nt::cpu

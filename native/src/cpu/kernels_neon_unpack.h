// NEON: weights of 4 rows unpacked into their part of a tile.
//
// A level's layout says how a tile's integers lie, as its dot instruction wants them:
//   Layout::arrange(rows, out)  permutes 4 rows of 16 bytes into 4 vectors
//   Layout::place(k, quad, j)   where vector j of the values k … k + 15 of a quad goes
// Bytes are arranged while they are still packed, and taken apart afterwards: both halves of a nibble stay in place.
#pragma once

#include "cpu/kernels_neon.h"

namespace nt::cpu {
namespace {

// Integers are signed, without the format's bias: they fit in int8 in every format.
struct alignas(64) SignedTile {
  int8_t q[kChunk * kTileRows];
  float scale[16][kTileRows];  // (sub-block, row): 16 of 16 values or 8 of 32
  float min[16][kTileRows];    // the same, where the format has mins
};

// 4 of the 16 rows of a tile: the rows' blocks at the chunk.
template <class Layout>
struct Quad {
  const uint8_t* rows[4];
  int n_values;
  int index;  // of the four
  SignedTile* tile;
};

template <class L>
NT_INLINE void put(const Quad<L>& t, int k, int j, int8x16_t q) {
  vst1q_s8(t.tile->q + L::place(k, t.index, j), q);
}

template <class L>
NT_INLINE void put_scale(const Quad<L>& t, int sub, float32x4_t scale) {
  vst1q_f32(t.tile->scale[sub] + 4 * t.index, scale);
}

template <class L>
NT_INLINE void put_min(const Quad<L>& t, int sub, float32x4_t min) {
  vst1q_f32(t.tile->min[sub] + 4 * t.index, min);
}

// 16 bytes of each row at an offset, as the layout has them.
template <class L>
NT_INLINE void load(const Quad<L>& t, size_t offset, uint8x16_t* out) {
  uint8x16_t v[4];
  NT_UNROLL
  for (int r = 0; r < 4; ++r) v[r] = vld1q_u8(t.rows[r] + offset);
  L::arrange(v, out);
}

// The same, a row a lane: for scales.
template <class L>
NT_INLINE void load_scales(const Quad<L>& t, size_t offset, uint8x16_t* out) {
  uint8x16_t v[4];
  NT_UNROLL
  for (int r = 0; r < 4; ++r) v[r] = vld1q_u8(t.rows[r] + offset);
  transpose4(v, out);
}

// The halves at an offset of the rows.
template <class L>
NT_INLINE float32x4_t halves(const Quad<L>& t, size_t offset) {
  uint16x4_t h = vdup_n_u16(load_u16(t.rows[0] + offset));
  h = vset_lane_u16(load_u16(t.rows[1] + offset), h, 1);
  h = vset_lane_u16(load_u16(t.rows[2] + offset), h, 2);
  h = vset_lane_u16(load_u16(t.rows[3] + offset), h, 3);
  return from_halves(h);
}

// Byte i of each lane, 0 to 255, as a float.
NT_INLINE float32x4_t byte_of(uint8x16_t v, int i) {
  const uint32x4_t shifted = vshlq_u32(vreinterpretq_u32_u8(v), vdupq_n_s32(-8 * i));
  return vcvtq_f32_u32(vandq_u32(shifted, vdupq_n_u32(255)));
}

NT_INLINE float32x4_t signed_byte_of(uint8x16_t v, int i) {
  const int32x4_t shifted = vshlq_s32(vreinterpretq_s32_u8(v), vdupq_n_s32(24 - 8 * i));
  return vcvtq_f32_s32(vshrq_n_s32(shifted, 24));
}

NT_INLINE uint8x16_t low_nibbles(uint8x16_t v) { return vandq_u8(v, vdupq_n_u8(15)); }

NT_INLINE uint8x16_t high_nibbles(uint8x16_t v) { return vshrq_n_u8(v, 4); }

// q less the format's bias.
template <class F>
NT_INLINE int8x16_t unbiased(uint8x16_t q) {
  const int8x16_t s = vreinterpretq_s8_u8(q);
  return F::kBias == 0 ? s : vsubq_s8(s, vdupq_n_s8(static_cast<int8_t>(F::kBias)));
}

// ------------------------------------------------------------------------------------------------------- formats

// The format's own unpack(), row by row.
template <class L, class F>
struct Unpack {
  static void run(const Quad<L>& t) {
    RowChunk chunk[4];
    for (int r = 0; r < 4; ++r) {
      if (t.n_values < kChunk) std::memset(&chunk[r], 0, sizeof chunk[r]);
      unpack_row<F>(t.rows[r], t.n_values, &chunk[r]);
    }
    for (int k = 0; k < t.n_values; k += 16) {
      uint8x16_t v[4], arranged[4];
      for (int r = 0; r < 4; ++r) v[r] = vreinterpretq_u8_s8(vld1q_s8(chunk[r].q + k));
      L::arrange(v, arranged);
      for (int j = 0; j < 4; ++j) put(t, k, j, vreinterpretq_s8_u8(arranged[j]));
    }
    for (int s = 0; s < t.n_values / F::kSub; ++s) {
      for (int r = 0; r < 4; ++r) {
        t.tile->scale[s][4 * t.index + r] = chunk[r].scale[s];
        if constexpr (F::kHasMin) t.tile->min[s][4 * t.index + r] = chunk[r].min[s];
      }
    }
  }
};

// 16 bytes of nibbles at an offset: the low ones are values low … low + 15, the high ones high … high + 15.
template <class F, class L>
NT_INLINE void put_nibbles(const Quad<L>& t, size_t offset, int low, int high) {
  uint8x16_t v[4];
  load(t, offset, v);
  NT_UNROLL
  for (int j = 0; j < 4; ++j) {
    put(t, low, j, unbiased<F>(low_nibbles(v[j])));
    put(t, high, j, unbiased<F>(high_nibbles(v[j])));
  }
}

// The same, through IQ4's table of values.
template <class L>
NT_INLINE void put_iq4(const Quad<L>& t, size_t offset, int k) {
  const int8x16_t table = vld1q_s8(kIq4Values);
  uint8x16_t v[4];
  load(t, offset, v);
  NT_UNROLL
  for (int j = 0; j < 4; ++j) {
    put(t, k, j, vqtbl1q_s8(table, low_nibbles(v[j])));
    put(t, k + 16, j, vqtbl1q_s8(table, high_nibbles(v[j])));
  }
}

template <class L>
struct Unpack<L, Q4_0> {
  static void run(const Quad<L>& t) {
    for (int b = 0; b < t.n_values / 32; ++b) {
      put_scale(t, b, halves(t, 18 * b));
      put_nibbles<Q4_0>(t, 18 * b + 2, 32 * b, 32 * b + 16);
    }
  }
};

template <class L>
struct Unpack<L, Q4_1> {
  static void run(const Quad<L>& t) {
    for (int b = 0; b < t.n_values / 32; ++b) {
      put_scale(t, b, halves(t, 20 * b));
      put_min(t, b, vnegq_f32(halves(t, 20 * b + 2)));
      put_nibbles<Q4_1>(t, 20 * b + 4, 32 * b, 32 * b + 16);
    }
  }
};

template <class L>
struct Unpack<L, IQ4_NL> {
  static void run(const Quad<L>& t) {
    for (int b = 0; b < t.n_values / 32; ++b) {
      put_scale(t, b, halves(t, 18 * b));
      put_iq4(t, 18 * b + 2, 32 * b);
    }
  }
};

template <class L>
struct Unpack<L, Q8_0> {
  static void run(const Quad<L>& t) {
    for (int b = 0; b < t.n_values / 32; ++b) {
      put_scale(t, b, halves(t, 34 * b));
      for (int i = 0; i < 32; i += 16) {
        uint8x16_t v[4];
        load(t, 34 * b + 2 + i, v);
        NT_UNROLL
        for (int j = 0; j < 4; ++j) put(t, 32 * b + i, j, vreinterpretq_s8_u8(v[j]));
      }
    }
  }
};

// The 16 bytes that Q4_K and Q5_K begin with: d, dmin and the packed scales and mins (see scale_min_k4()).
template <class L>
NT_INLINE void put_scales_k4(const Quad<L>& t) {
  uint8x16_t v[4];
  load_scales(t, 0, v);
  const float32x4_t d = from_halves(vmovn_u32(vreinterpretq_u32_u8(v[0])));
  const float32x4_t dmin = from_halves(vshrn_n_u32(vreinterpretq_u32_u8(v[0]), 16));
  const uint8x16_t six = vdupq_n_u8(63), two = vdupq_n_u8(0x30);
  const uint8x16_t scale[2] = {vandq_u8(v[1], six), vorrq_u8(low_nibbles(v[3]), vandq_u8(vshrq_n_u8(v[1], 2), two))};
  const uint8x16_t min[2] = {vandq_u8(v[2], six), vorrq_u8(high_nibbles(v[3]), vandq_u8(vshrq_n_u8(v[2], 2), two))};
  NT_UNROLL
  for (int s = 0; s < 8; ++s) {
    put_scale(t, s, vmulq_f32(d, byte_of(scale[s / 4], s % 4)));
    put_min(t, s, vmulq_f32(dmin, byte_of(min[s / 4], s % 4)));
  }
}

template <class L>
struct Unpack<L, Q4_K> {
  static void run(const Quad<L>& t) {
    put_scales_k4(t);
    for (int i = 0; i < 8; ++i) {
      const int k = 64 * (i / 2) + 16 * (i % 2);
      put_nibbles<Q4_K>(t, 16 + 16 * i, k, k + 32);
    }
  }
};

template <class L>
struct Unpack<L, Q5_K> {
  static void run(const Quad<L>& t) {
    put_scales_k4(t);
    const uint8x16_t bit = vdupq_n_u8(16);
    for (int i = 0; i < 32; i += 16) {  // 16 of the 32 values of every sub-block
      uint8x16_t high[4];               // bit j is sub-block j's
      load(t, 16 + i, high);
      for (int g = 0; g < 4; ++g) {
        uint8x16_t v[4];
        load(t, 48 + 32 * g + i, v);
        NT_UNROLL
        for (int j = 0; j < 4; ++j) {
          const uint8x16_t h0 = vandq_u8(vshlq_n_u8(high[j], 4), bit), h1 = vandq_u8(vshlq_n_u8(high[j], 3), bit);
          put(t, 64 * g + i, j, vreinterpretq_s8_u8(vorrq_u8(low_nibbles(v[j]), h0)));
          put(t, 64 * g + 32 + i, j, vreinterpretq_s8_u8(vorrq_u8(high_nibbles(v[j]), h1)));
          high[j] = vshrq_n_u8(high[j], 2);
        }
      }
    }
  }
};

template <class L>
struct Unpack<L, Q6_K> {
  static void run(const Quad<L>& t) {
    const uint8x16_t bits = vdupq_n_u8(0x30);
    for (int i = 0; i < 4; ++i) {  // 16 values of each of the four quarters of half i / 2
      const int h = i / 2, l = 16 * (i % 2);
      uint8x16_t a[4], b[4], high[4];
      load(t, 64 * h + l, a);
      load(t, 64 * h + 32 + l, b);
      load(t, 128 + 32 * h + l, high);
      const int k = 128 * h + l;
      NT_UNROLL
      for (int j = 0; j < 4; ++j) {
        const uint8x16_t v = high[j];
        put(t, k, j, unbiased<Q6_K>(vorrq_u8(low_nibbles(a[j]), vandq_u8(vshlq_n_u8(v, 4), bits))));
        put(t, k + 32, j, unbiased<Q6_K>(vorrq_u8(low_nibbles(b[j]), vandq_u8(vshlq_n_u8(v, 2), bits))));
        put(t, k + 64, j, unbiased<Q6_K>(vorrq_u8(high_nibbles(a[j]), vandq_u8(v, bits))));
        put(t, k + 96, j, unbiased<Q6_K>(vorrq_u8(high_nibbles(b[j]), vandq_u8(vshrq_n_u8(v, 2), bits))));
      }
    }
    const float32x4_t d = halves(t, 208);
    uint8x16_t scale[4];
    load_scales(t, 192, scale);
    NT_UNROLL
    for (int s = 0; s < 16; ++s) put_scale(t, s, vmulq_f32(d, signed_byte_of(scale[s / 4], s % 4)));
  }
};

template <class L>
struct Unpack<L, IQ4_XS> {
  static void run(const Quad<L>& t) {
    const float32x4_t d = halves(t, 0);
    for (int s = 0; s < 8; ++s) {
      int32_t six[4];
      for (int r = 0; r < 4; ++r) {
        const uint8_t* p = t.rows[r];
        six[r] = (nibble(p + 4, s) | (load_u16(p + 2) >> 2 * s & 3) << 4) - 32;
      }
      put_scale(t, s, vmulq_f32(d, vcvtq_f32_s32(vld1q_s32(six))));
      put_iq4(t, 8 + 16 * s, 32 * s);
    }
  }
};

NT_INLINE uint8x16_t two(uint64_t a, uint64_t b) {
  return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(a), vcreate_u64(b)));
}

// All ones in byte i where bit i of the bytes `first` and first + 1 is set.
NT_INLINE uint8x16_t spread_bits(uint32_t bits, int first) {
  const uint8x16_t spread = two(0x0101010101010101 * first, 0x0101010101010101 * (first + 1));
  const uint8x16_t bit = two(0x8040201008040201, 0x8040201008040201);
  return vtstq_u8(vqtbl1q_u8(vreinterpretq_u8_u32(vdupq_n_u32(bits)), spread), bit);
}

// 4 bytes of fifth bits and 16 of nibbles at an offset: values k … k + 31.
template <class F, class L>
NT_INLINE void put_q5(const Quad<L>& t, size_t offset, int k) {
  uint8x16_t v[4], high[2][4];
  load(t, offset + 4, v);
  NT_UNROLL
  for (int i = 0; i < 2; ++i) {
    uint8x16_t bits[4];
    NT_UNROLL
    for (int r = 0; r < 4; ++r) {
      bits[r] = vandq_u8(spread_bits(load_u32(t.rows[r] + offset), 2 * i), vdupq_n_u8(16));
    }
    L::arrange(bits, high[i]);
  }
  NT_UNROLL
  for (int j = 0; j < 4; ++j) {
    put(t, k, j, unbiased<F>(vorrq_u8(low_nibbles(v[j]), high[0][j])));
    put(t, k + 16, j, unbiased<F>(vorrq_u8(high_nibbles(v[j]), high[1][j])));
  }
}

template <class L>
struct Unpack<L, Q5_0> {
  static void run(const Quad<L>& t) {
    for (int b = 0; b < t.n_values / 32; ++b) {
      put_scale(t, b, halves(t, 22 * b));
      put_q5<Q5_0>(t, 22 * b + 2, 32 * b);
    }
  }
};

template <class L>
struct Unpack<L, Q5_1> {
  static void run(const Quad<L>& t) {
    for (int b = 0; b < t.n_values / 32; ++b) {
      put_scale(t, b, halves(t, 24 * b));
      put_min(t, b, vnegq_f32(halves(t, 24 * b + 2)));
      put_q5<Q5_1>(t, 24 * b + 4, 32 * b);
    }
  }
};

// Bits 2i and 2i + 1 of each byte.
NT_INLINE uint8x16_t bit_pair(uint8x16_t v, int i) {
  return vandq_u8(vshlq_u8(v, vdupq_n_s8(static_cast<int8_t>(-2 * i))), vdupq_n_u8(3));
}

template <class L>
struct Unpack<L, Q2_K> {
  static void run(const Quad<L>& t) {
    const float32x4_t d = halves(t, 80), dmin = halves(t, 82);
    uint8x16_t v[4];
    load_scales(t, 0, v);
    NT_UNROLL
    for (int s = 0; s < 16; ++s) {
      put_scale(t, s, vmulq_f32(d, byte_of(low_nibbles(v[s / 4]), s % 4)));
      put_min(t, s, vmulq_f32(dmin, byte_of(high_nibbles(v[s / 4]), s % 4)));
    }
    for (int i = 0; i < 4; ++i) {  // bytes 16i … 16i + 15
      load(t, 16 + 16 * i, v);
      NT_UNROLL
      for (int j = 0; j < 4; ++j) {
        NT_UNROLL
        for (int p = 0; p < 4; ++p) {
          put(t, 128 * (i / 2) + 32 * p + 16 * (i % 2), j, vreinterpretq_s8_u8(bit_pair(v[j], p)));
        }
      }
    }
  }
};

template <class L>
struct Unpack<L, Q3_K> {
  static void run(const Quad<L>& t) {
    const float32x4_t d = halves(t, 108);
    uint8x16_t v[4];
    load_scales(t, 92, v);  // the 12 bytes of scales are v[1] to v[3]
    NT_UNROLL
    for (int i = 0; i < 4; ++i) {
      const uint8x16_t low = i < 2 ? low_nibbles(v[1 + i]) : high_nibbles(v[i - 1]);
      const uint8x16_t six = vorrq_u8(low, vshlq_n_u8(bit_pair(v[3], i), 4));
      NT_UNROLL
      for (int j = 0; j < 4; ++j) put_scale(t, 4 * i + j, vmulq_f32(d, vsubq_f32(byte_of(six, j), vdupq_n_f32(32))));
    }
    for (int l = 0; l < 32; l += 16) {  // 16 of the 32 values of every sub-block of 32
      uint8x16_t mask[4];               // bit j is sub-block j's
      load(t, l, mask);
      for (int h = 0; h < 2; ++h) {
        load(t, 32 + 32 * h + l, v);
        NT_UNROLL
        for (int j = 0; j < 4; ++j) {
          NT_UNROLL
          for (int p = 0; p < 4; ++p) {
            const uint8x16_t bit = vdupq_n_u8(static_cast<uint8_t>(1 << (4 * h + p)));
            const uint8x16_t high = vandq_u8(vtstq_u8(mask[j], bit), vdupq_n_u8(4));
            put(t, 128 * h + 32 * p + l, j, unbiased<Q3_K>(vorrq_u8(bit_pair(v[j], p), high)));
          }
        }
      }
    }
  }
};

// ---------------------------------------------------------------------------------------------- formats of grids

// Four groups of seven sign bits as four bytes, the eighth bit of each making the number of ones even.
NT_INLINE uint32_t sign_bytes(uint32_t sevens) {
  const uint32_t x = (sevens & 0x7f) | (sevens << 1 & 0x7f00) | (sevens << 2 & 0x7f0000) | (sevens << 3 & 0x7f000000);
  uint32_t parity = x ^ x >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return x | (parity & 0x01010101) << 7;
}

// 16 magnitudes with their signs, bit i of the bytes `first` and first + 1 for value i.
NT_INLINE uint8x16_t with_signs(uint8x16_t magnitudes, uint32_t signs, int first) {
  const uint8x16_t negative = spread_bits(signs, first);
  return vsubq_u8(veorq_u8(magnitudes, negative), negative);
}

NT_INLINE void put_signs(const uint64_t* eights, uint32_t signs, uint8x16_t* out) {
  out[0] = with_signs(two(eights[0], eights[1]), signs, 0);
  out[1] = with_signs(two(eights[2], eights[3]), signs, 2);
}

NT_INLINE uint64_t two_fours(uint32_t a, uint32_t b) { return a | static_cast<uint64_t>(b) << 32; }

// Grid<F>: the scale of sub-block s, whose block's is d, and the values 32j … 32j + 31 in two vectors.
template <class F>
struct Grid {
  using Block = typename F::Block;
  static float scale(const Block& b, int s, float d);
  static void values(const Block& b, int j, uint8x16_t* out);
};

template <>
NT_INLINE float Grid<IQ2_XXS>::scale(const Block& b, int s, float d) {
  return d * (0.5f + static_cast<float>(b.sub[s].signs[3] >> 4)) * 0.25f;
}

template <>
NT_INLINE void Grid<IQ2_XXS>::values(const Block& b, int j, uint8x16_t* out) {
  uint64_t g[4];
  NT_UNROLL
  for (int k = 0; k < 4; ++k) g[k] = kGrids.iq2_xxs[b.sub[j].index[k]];
  put_signs(g, sign_bytes(load_u32(b.sub[j].signs)), out);
}

template <>
NT_INLINE float Grid<IQ2_XS>::scale(const Block& b, int s, float d) {
  return d * (0.5f + static_cast<float>(nibble(b.scales, s))) * 0.25f;
}

template <>
NT_INLINE void Grid<IQ2_XS>::values(const Block& b, int j, uint8x16_t* out) {
  uint64_t g[4];
  uint32_t sevens = 0;
  NT_UNROLL
  for (int k = 0; k < 4; ++k) {
    const uint32_t code = load_u16(b.qs + 8 * j + 2 * k);
    g[k] = kGrids.iq2_xs[code & 511];
    sevens |= (code >> 9) << 7 * k;
  }
  put_signs(g, sign_bytes(sevens), out);
}

template <>
NT_INLINE float Grid<IQ2_S>::scale(const Block& b, int s, float d) {
  return d * (0.5f + static_cast<float>(nibble(b.scales, s))) * 0.25f;
}

template <>
NT_INLINE void Grid<IQ2_S>::values(const Block& b, int j, uint8x16_t* out) {
  uint64_t g[4];
  NT_UNROLL
  for (int k = 0; k < 4; ++k) g[k] = kGrids.iq2_s[b.qs[4 * j + k] | (b.qh[j] >> 2 * k & 3) << 8];
  put_signs(g, load_u32(b.signs + 4 * j), out);
}

template <>
NT_INLINE float Grid<IQ3_XXS>::scale(const Block& b, int s, float d) {
  return d * (0.5f + static_cast<float>(b.signs[4 * s + 3] >> 4)) * 0.5f;
}

template <>
NT_INLINE void Grid<IQ3_XXS>::values(const Block& b, int j, uint8x16_t* out) {
  const uint8_t* i = b.qs + 8 * j;
  uint64_t g[4];
  NT_UNROLL
  for (int k = 0; k < 4; ++k) g[k] = two_fours(kGrids.iq3_xxs[i[2 * k]], kGrids.iq3_xxs[i[2 * k + 1]]);
  put_signs(g, sign_bytes(load_u32(b.signs + 4 * j)), out);
}

template <>
NT_INLINE float Grid<IQ3_S>::scale(const Block& b, int s, float d) {
  return d * static_cast<float>(1 + 2 * nibble(b.scales, s));
}

template <>
NT_INLINE void Grid<IQ3_S>::values(const Block& b, int j, uint8x16_t* out) {
  const auto four = [&](int k) { return kGrids.iq3_s[b.qs[8 * j + k] | (b.qh[j] >> k & 1) << 8]; };
  uint64_t g[4];
  NT_UNROLL
  for (int k = 0; k < 4; ++k) g[k] = two_fours(four(2 * k), four(2 * k + 1));
  put_signs(g, load_u32(b.signs + 4 * j), out);
}

template <>
NT_INLINE float Grid<IQ1_S>::scale(const Block& b, int s, float d) {
  return d * static_cast<float>(2 * (load_u16(b.qh + 2 * s) >> 12 & 7) + 1) * 0.125f;
}

template <>
NT_INLINE void Grid<IQ1_S>::values(const Block& b, int j, uint8x16_t* out) {
  const int qh = load_u16(b.qh + 2 * j);
  const uint8x16_t delta = vdupq_n_u8(qh & 0x8000 ? 0xff : 1);
  uint64_t g[4];
  NT_UNROLL
  for (int k = 0; k < 4; ++k) g[k] = kGrids.iq1[b.qs[4 * j + k] | (qh >> 3 * k & 7) << 8];
  NT_UNROLL
  for (int i = 0; i < 2; ++i) out[i] = vaddq_u8(vshlq_n_u8(two(g[2 * i], g[2 * i + 1]), 3), delta);
}

template <class L, class F>
struct UnpackGrid {
  static void run(const Quad<L>& t) {
    using Block = typename F::Block;
    const auto block = [&](int r) -> const Block& { return *reinterpret_cast<const Block*>(t.rows[r]); };
    for (int r = 0; r < 4; ++r) {
      const float d = to_float(block(r).d);
      for (int s = 0; s < kChunk / F::kSub; ++s) {
        t.tile->scale[s][4 * t.index + r] = Grid<F>::scale(block(r), s, d);
      }
    }
    for (int k = 0; k < kChunk; k += 32) {
      uint8x16_t v[4][2];
      NT_UNROLL
      for (int r = 0; r < 4; ++r) Grid<F>::values(block(r), k / 32, v[r]);
      NT_UNROLL
      for (int i = 0; i < 2; ++i) {
        const uint8x16_t rows[4] = {v[0][i], v[1][i], v[2][i], v[3][i]};
        uint8x16_t arranged[4];
        L::arrange(rows, arranged);
        NT_UNROLL
        for (int j = 0; j < 4; ++j) put(t, k + 16 * i, j, vreinterpretq_s8_u8(arranged[j]));
      }
    }
  }
};

template <class L>
struct Unpack<L, IQ2_XXS> : UnpackGrid<L, IQ2_XXS> {};
template <class L>
struct Unpack<L, IQ2_XS> : UnpackGrid<L, IQ2_XS> {};
template <class L>
struct Unpack<L, IQ2_S> : UnpackGrid<L, IQ2_S> {};
template <class L>
struct Unpack<L, IQ3_XXS> : UnpackGrid<L, IQ3_XXS> {};
template <class L>
struct Unpack<L, IQ3_S> : UnpackGrid<L, IQ3_S> {};
template <class L>
struct Unpack<L, IQ1_S> : UnpackGrid<L, IQ1_S> {};

}  // namespace
}  // namespace nt::cpu

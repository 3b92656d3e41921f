// AVX-512: weights of 16 rows handed out chunk after chunk, for products with so few columns that each chunk is used
// once or twice. While a vector of weights is multiplied, one step is taken towards the vectors to come, also those of
// the next chunk.
//
// Zen 4, 16 rows by 256 values and 8 columns: dots and other multiplications take 632 cycles of Q4_K and 664 of Q6_K,
// as only two of the four pipes multiply, each 64 bytes in two cycles. With loads and transpositions before the dots it
// took 763 and 948, step by step 657 and, with its bias in what each dot begins with, 877: so many other instructions
// do not fit between the dots that the CPU looks ahead to. A store of 64 bytes keeps the multipliers from a dot, which
// is why scales are stored packed.
//
// Zen 5 multiplies twice as fast and is bound by loads, two a cycle whatever their width: 512 of columns, and those of
// rows. Q4_K's rows 32 bytes at a time are half as many (340 G multiply-adds/s, so 370). Q6_K's bias, taken off by dots
// of pairs of sub-blocks, takes 64 loads, by what each dot begins with 128 (248, so 272).
//
// Stream<F> is made from the rows of the first chunk and may write its scales; chunk(r, next, scales, next_scales,
// sink) hands out the chunk at r, begins with the one at `next`, and leaves the scales and mins of r in `scales`:
//   sink.put(k, v)             v is vector k of the chunk: see Tile::q
//   sink.finish(scales, j)     sub-block j is complete
#pragma once

#include "cpu/kernels_avx512_unpack.h"
#include "cpu/matmul_blocks.h"

namespace nt::cpu {
namespace {

// Up to how many columns weights come from a stream, 8 at a time: with more, from tiles. (Zen 5, from memory: 16
// columns of Q4_K 330 G multiply-adds/s from tiles and 355 from a stream; of Q6_K 297 from tiles, and 8 from a stream
// 258.) Fewer where rows lie apart. (Ice Lake, see kernels_avx512_pairs.h: 8 columns of Q4_K 143 from tiles and 156.)
struct StreamColumns {
  int next_to_each_other, apart;
};
template <class F>
constexpr StreamColumns kStreamColumns = {};
template <>
constexpr StreamColumns kStreamColumns<Q4_K> = {16, 8};
template <>
constexpr StreamColumns kStreamColumns<Q6_K> = {8, 4};

template <class F>
NT_INLINE int stream_columns(const Matmul& m) {
  return m.rows_apart ? kStreamColumns<F>.apart : kStreamColumns<F>.next_to_each_other;
}

template <class F>
class Stream;

// Scales and mins of a chunk, a vector for each 16 bytes: kept in memory, since registers are short, and taken apart
// one at a time, since a store of 64 bytes costs the multipliers a cycle.
class ScalesK4 {
 public:
  // What Unpack<Q4_K> begins with, of 16 rows, transposed.
  NT_INLINE void set(const V* transposed) {
    const HeadK4 head(transposed);
    NT_UNROLL
    for (int i = 0; i < 2; ++i) {
      store(scale_[i], head.scale[i]);
      store(min_[i], head.min[i]);
    }
    _mm512_store_ps(d_, head.d);
    _mm512_store_ps(d_min_, head.d_min);
    asm("" : "+m"(*this));  // gcc would keep them in registers, and put sums into memory instead
  }

  // The same of a chunk by itself.
  NT_INLINE void read(Rows r) {
    V head[4];
    load_16_bytes(r, head);
    set(head);
  }

  NT_INLINE V s(int j) const { return byte_to_int(load(scale_[j / 4]), j % 4); }
  NT_INLINE V m(int j) const { return widen_pair(load(min_[j / 2]), j % 2); }
  NT_INLINE __m512 d() const { return _mm512_load_ps(d_); }
  NT_INLINE __m512 d_min() const { return _mm512_load_ps(d_min_); }

 private:
  alignas(64) uint8_t scale_[2][64], min_[2][64];
  alignas(64) float d_[kTileRows], d_min_[kTileRows];
};

template <>
class Stream<Q4_K> {
 public:
  using Scales = ScalesK4;

  NT_INLINE Stream(Rows r, Scales&) {
    NT_UNROLL
    for (int i = 0; i < 4; ++i) {
      load_quads(r.at(16), static_cast<size_t>(i), v_[i], v_[4 + i]);
      head_[i] = load_quad(r, static_cast<size_t>(i));
    }
    NT_UNROLL
    for (int i = 0; i < 4; ++i) transpose_step(v_, i);
  }

  template <class Sink>
  NT_INLINE void chunk(Rows r, Rows next, Scales& scales, Scales&, Sink& sink) {
    NT_UNROLL
    for (int g = 0; g < 4; ++g) {
      const Rows after = g < 3 ? r.at(48 + 32 * static_cast<size_t>(g)) : next.at(16);
      V n[4];
      NT_UNROLL
      for (int i = 0; i < 8; ++i) {
        sink.put(16 * g + i, low_nibbles(v_[i]));
        if (i < 4) {
          transpose_step(v_ + 4, i);
          if (g == 0) transpose_step(head_, i);
          if (g == 0 && i == 3) scales.set(head_);
        }
      }
      sink.finish(scales, 2 * g);
      NT_UNROLL
      for (int i = 0; i < 8; ++i) {
        sink.put(16 * g + 8 + i, high_nibbles(v_[i]));
        if (i < 4) {
          load_quads(after, static_cast<size_t>(i), n[i], v_[i]);
        } else {
          transpose_step(n, i - 4);
          if (g == 3) head_[i - 4] = load_quad(next, static_cast<size_t>(i - 4));
        }
      }
      sink.finish(scales, 2 * g + 1);
      NT_UNROLL
      for (int i = 0; i < 4; ++i) {
        v_[4 + i] = v_[i];
        v_[i] = n[i];
      }
    }
  }

 private:
  V v_[8];     // bytes 16–31 and 32–47 of the next chunk, the latter not transposed yet
  V head_[4];  // bytes 0–15 of it, not transposed yet
};

template <>
class Stream<Q6_K> {
 public:
  class Scales {
   public:
    // The rows' scales, transposed, and in `end` a vector whose upper words are d.
    NT_INLINE void set_scales(const V* scales) {
      NT_UNROLL
      for (int i = 0; i < 4; ++i) store(scale_[i], scales[i]);
    }
    NT_INLINE void set_d(V end) { _mm512_store_ps(d_, high_half(end)); }
    NT_INLINE void done() { asm("" : "+m"(*this)); }

    // All of a chunk by itself.
    NT_INLINE void read(Rows r) {
      V t[4];
      load_16_bytes(r.at(192), t);
      set_scales(t);
      load_16_bytes(r.at(194), t);
      set_d(t[3]);
    }

    NT_INLINE V s(int j) const { return signed_byte_to_int(load(scale_[j / 4]), j % 4); }
    NT_INLINE V pair(int j) const { return widen_signed_pair(load(scale_[j / 2]), j % 2); }
    NT_INLINE __m512 d() const { return _mm512_load_ps(d_); }

   private:
    alignas(64) uint8_t scale_[4][64];
    alignas(64) float d_[kTileRows];
  };

  NT_INLINE Stream(Rows r, Scales& scales) {
    V head[4];
    load_16_bytes(upper_at(r, 0), upper_);
    load_16_bytes(nibbles_at(r, 0, 0), v_);
    NT_UNROLL
    for (int q = 0; q < 8; ++q) head_step(r, q, head, scales);
  }

  // Part by part, of 16 bytes of upper bits and their two of nibbles, sub-blocks of the same packed bytes together.
  template <class Sink>
  NT_INLINE void chunk(Rows r, Rows next, Scales& scales, Scales& next_scales, Sink& sink) {
    NT_UNROLL
    for (int part = 0; part < 4; ++part) {
      const Rows after = part < 3 ? r : next;
      V t[4];
      NT_UNROLL
      for (int q = 0; q < 16; ++q) {
        const int j = q / 8, high = q / 4 % 2, i = q % 4, sub = 8 * (part / 2) + part % 2 + 2 * j + 4 * high;
        sink.put(4 * sub + i, high ? Unpack<Q6_K>::sixbits(high_nibbles(v_[i]), upper_[i], -2 * j)
                                   : Unpack<Q6_K>::sixbits(low_nibbles(v_[i]), upper_[i], 4 - 2 * j));
        const auto n = static_cast<size_t>(i);
        if (high) v_[i] = load_quad(j == 0 ? nibbles_at(r, part, 1) : nibbles_at(after, (part + 1) % 4, 0), n);
        if (q < 8 && part == 3) head_step(next, q, t, next_scales);
        if (q >= 8 && q < 12) t[i] = load_quad(upper_at(after, (part + 1) % 4), n);
        if (q >= 12) transpose_step(t, i);
        if (i == 3) {
          sink.finish(scales, sub);
          NT_UNROLL
          for (int k = 0; high && k < 4; ++k) transpose_step(v_, k);
        }
      }
      NT_UNROLL
      for (int i = 0; i < 4; ++i) upper_[i] = t[i];
    }
  }

 private:
  // The 16 bytes of upper bits of a part, and the first or second 16 of its nibbles.
  static NT_INLINE Rows upper_at(Rows r, int part) {
    return r.at(static_cast<size_t>(128 + 32 * (part / 2) + 16 * (part % 2)));
  }
  static NT_INLINE Rows nibbles_at(Rows r, int part, int j) {
    return r.at(static_cast<size_t>(64 * (part / 2) + 16 * (part % 2) + 32 * j));
  }

  // Step q of 8 towards the scales.
  static NT_INLINE void head_step(Rows r, int q, V* t, Scales& scales) {
    const size_t from = q < 4 ? 192 : 194;  // d is the last two of 16 bytes: cheaper than two bytes of 16 rows
    switch (q % 4) {
      case 0:
      case 1:
        NT_UNROLL
        for (int i = 0; i < 2; ++i) {
          t[q % 4 * 2 + i] = load_quad(r.at(from), static_cast<size_t>(q % 4 * 2 + i));
        }
        break;
      case 2:
        transpose_step(t, 0);
        transpose_step(t, 1);
        break;
      case 3:
        if (q == 3) {
          transpose_step(t, 2);
          transpose_step(t, 3);
          scales.set_scales(t);
        } else {
          scales.set_d(_mm512_unpackhi_epi64(t[1], t[3]));
          scales.done();
        }
        break;
    }
  }

  // Of the next part: upper bits, and the first nibbles.
  V upper_[4], v_[4];
};

}  // namespace
}  // namespace nt::cpu

// AVX-512: weights of 16 rows handed out chunk after chunk, for products with so few columns that each chunk is used
// once. While a vector of weights is multiplied, one step is taken towards the vectors to come, also those of the next
// chunk: what is loaded and transposed in one go keeps the multipliers waiting, since so many instructions do not fit
// between the dots that are under way.
//
// Stream<F> is made from the rows of the first chunk; chunk(r, next, sink) hands out the chunk at r, and begins with
// the one at `next`:
//   sink.put(k, v)             v is vector k of the chunk: see Tile::q
//   sink.finish(scale)         a sub-block is complete, whose scales these are
#pragma once

#include "cpu/kernels_avx512_unpack.h"

namespace nt::cpu {
namespace {

template <class F>
constexpr bool kStreams = false;
template <>
constexpr bool kStreams<Q4_K> = true;

template <class F>
struct Stream;

// Scales and mins of a chunk, a vector for each 16 bytes: kept in memory, since registers are short, and taken apart
// one at a time, since a store of 64 bytes costs the multipliers a cycle.
class ScalesK4 {
 public:
  // What Unpack<Q4_K> begins with, of 16 rows, transposed.
  NT_INLINE void set(const V* head) {
    const V six = bytes(63), upper = bytes(48);
    const V h1 = head[1], h2 = head[2], h3 = head[3];
    store(scale_[0], _mm512_and_si512(h1, six));
    store(scale_[1], or_and(low_nibbles(h3), _mm512_srli_epi32(h1, 2), upper));
    store(min_[0], _mm512_and_si512(h2, six));
    store(min_[1], or_and(high_nibbles(h3), _mm512_srli_epi32(h2, 2), upper));
    _mm512_store_ps(d_, low_half(head[0]));
    _mm512_store_ps(d_min_, high_half(head[0]));
    asm("" : "+m"(*this));  // gcc would keep them in registers, and put sums into memory instead
  }

  NT_INLINE __m512 scale(int j) const {
    return _mm512_mul_ps(_mm512_load_ps(d_), byte_to_float(load(scale_[j / 4]), j % 4));
  }
  NT_INLINE V pairs(int j) const { return widen_pair(load(min_[j / 2]), j % 2); }
  NT_INLINE __m512 pairs_scale() const { return _mm512_load_ps(d_min_); }

 private:
  alignas(64) uint8_t scale_[2][64], min_[2][64];
  alignas(64) float d_[kTileRows], d_min_[kTileRows];
};

template <>
class Stream<Q4_K> {
 public:
  using Scales = ScalesK4;

  NT_INLINE explicit Stream(Rows r) {
    load_16_bytes(r.at(16), v_);
    NT_UNROLL
    for (int i = 0; i < 4; ++i) {
      v_[4 + i] = load_quad(r.at(32), static_cast<size_t>(i));
      head_[i] = load_quad(r, static_cast<size_t>(i));
    }
  }

  template <class Sink>
  NT_INLINE void chunk(Rows r, Rows next, Scales& scales, Sink& sink) {
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
        } else {
          n[i - 4] = load_quad(after, static_cast<size_t>(i - 4));
        }
      }
      sink.finish(scales.scale(2 * g));
      NT_UNROLL
      for (int i = 0; i < 8; ++i) {
        sink.put(16 * g + 8 + i, high_nibbles(v_[i]));
        if (i < 4) {
          transpose_step(n, i);
        } else {
          v_[i] = load_quad(after.at(16), static_cast<size_t>(i - 4));
          if (g == 3) head_[i - 4] = load_quad(next, static_cast<size_t>(i - 4));
        }
      }
      sink.finish(scales.scale(2 * g + 1));
      NT_UNROLL
      for (int i = 0; i < 4; ++i) v_[i] = n[i];
    }
  }

 private:
  V v_[8];     // bytes 16–31 and 32–47 of the next chunk, the latter not transposed yet
  V head_[4];  // bytes 0–15 of it, not transposed yet
};

}  // namespace
}  // namespace nt::cpu

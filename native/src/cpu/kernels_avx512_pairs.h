// AVX-512: Q4_K handed out as a stream, in vectors of eight values of 8 rows. Two of them, which have all 16 rows,
// share one load of a column's values, where vectors of four values need a load for each dot.
//
// That suits Ice Lake, which dots twice a cycle and loads 64 bytes once, also where they are eight that repeat; and the
// loop over a block's parts is short, since code that does not fit into its cache of decoded instructions is decoded
// again at 16 bytes a cycle, and the dots of a whole block of 8 columns have 11 KB. (From memory, 4 and 8 columns: 102
// and 131 G multiply-adds/s with Stream<Q4_K>, 111 and 140 with this; without the loop 105 and 128.) Where loads are
// not short, Stream<Q4_K> takes fewer instructions.
#pragma once

#include "cpu/kernels_avx512_stream.h"

namespace nt::cpu {
namespace {

// Scales and mins of a chunk: each sub-block's scale as a vector, which a loop needs.
class PairScales {
 public:
  NT_INLINE void read(Rows r) {
    V h[4];
    load_16_bytes(r, h);
    const HeadK4 head(h);
    NT_UNROLL
    for (int j = 0; j < 8; ++j) {
      _mm512_store_ps(scale_[j], _mm512_mul_ps(head.d, byte_to_float(head.scale[j / 4], j % 4)));
    }
    NT_UNROLL
    for (int i = 0; i < 2; ++i) store(min_[i], head.min[i]);
    _mm512_store_ps(d_min_, head.d_min);
    asm("" : "+m"(*this));  // as in ScalesK4
  }

  NT_INLINE __m512 scale(int j) const { return _mm512_load_ps(scale_[j]); }
  NT_INLINE V m(int j) const { return widen_pair(load(min_[j / 2]), j % 2); }
  NT_INLINE __m512 d_min() const { return _mm512_load_ps(d_min_); }

 private:
  alignas(64) float scale_[8][kTileRows];
  alignas(64) uint8_t min_[2][64];
  alignas(64) float d_min_[kTileRows];
};

// As a Stream, for a sink with
//   Sink::kRuns                         runs of columns, which take each pair of vectors in turn
//   sink.put(run, part, k, a, b)        values 64 · part + 8k … + 7: lane i of a has rows 4i and 4i + 1, of b the two
//                                       rows after these
//   sink.finish(run, scales, j)         sub-block j is complete
class PairStream {
 public:
  using Scales = PairScales;

  NT_INLINE PairStream(Rows r, Scales&) {
    V low[4], high[4];
    NT_UNROLL
    for (int i = 0; i < 4; ++i) load_quads(r.at(16), static_cast<size_t>(i), low[i], high[i]);
    pair_up(low, high, v_);
  }

  template <class Sink>
  NT_INLINE void chunk(Rows r, Rows next, Scales& scales, Scales&, Sink& sink) {
    scales.read(r);
    V v[8];
    NT_UNROLL
    for (int i = 0; i < 8; ++i) v[i] = v_[i];
    for (int g = 0; g < 4; ++g) {
      asm("" : "+r"(g));  // or gcc would unroll the loop
      const Rows after = g < 3 ? r.at(48 + 32 * static_cast<size_t>(g)) : next.at(16);
      NT_UNROLL
      for (int run = 0; run < Sink::kRuns; ++run) {
        NT_UNROLL
        for (int i = 0; i < 4; ++i) sink.put(run, g, i, low_nibbles(v[2 * i]), low_nibbles(v[2 * i + 1]));
        sink.finish(run, scales, 2 * g);
      }
      V low[4], high[4];
      NT_UNROLL
      for (int run = 0; run < Sink::kRuns; ++run) {
        const bool last = run == Sink::kRuns - 1;
        NT_UNROLL
        for (int i = 0; i < 4; ++i) {
          sink.put(run, g, 4 + i, high_nibbles(v[2 * i]), high_nibbles(v[2 * i + 1]));
          if (last) load_quads(after, static_cast<size_t>(i), low[i], high[i]);
        }
        if (last) pair_up(low, high, v);
        sink.finish(run, scales, 2 * g + 1);
      }
    }
    NT_UNROLL
    for (int i = 0; i < 8; ++i) v_[i] = v[i];
  }

 private:
  // From bytes 0 … 15 and 16 … 31 of rows i, i + 4, … in low[i] and high[i].
  static NT_INLINE void pair_up(const V* low, const V* high, V* v) {
    NT_UNROLL
    for (int i = 0; i < 2; ++i) {
      const V* rows = i == 0 ? low : high;
      v[4 * i] = _mm512_unpacklo_epi64(rows[0], rows[1]);
      v[4 * i + 1] = _mm512_unpacklo_epi64(rows[2], rows[3]);
      v[4 * i + 2] = _mm512_unpackhi_epi64(rows[0], rows[1]);
      v[4 * i + 3] = _mm512_unpackhi_epi64(rows[2], rows[3]);
    }
  }

  V v_[8];  // 32 bytes of the next values
};

}  // namespace
}  // namespace nt::cpu

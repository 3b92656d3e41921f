// AVX-512: products of formats with integer scales, in vectors of eight values of 8 rows. Two of them have all 16 rows
// and share one load of a column's values, where vectors of four values need a load for each dot. A row has two dots
// next to each other, of half a sub-block's values each, which fit words: one instruction packs those of all rows, and
// a dot of words with the scale, twice, adds both, scaled. (vpmulld takes two instructions on Intel's CPUs, and a
// float's conversion, product and sum as many as the packing and the dot.)
//
// G multiply-adds/s on Ice Lake, which dots twice a cycle and loads 64 bytes once, also where they are eight that
// repeat; from memory, by vectors of four values and by these: Q4_K with 4, 8 and 16 columns 102, so 120; 131, so 156;
// 148, so 178; Q6_K with 8 and 16 columns 94, so 106; 120, so 136; with 256 columns Q4_K 201, so 214 and Q6_K 166, so
// 190.
#pragma once

#include "cpu/kernels_avx512_products.h"

namespace nt::cpu {
namespace {

// Byte i of each dword, as two words.
inline V byte_to_words(V v, int i) {
  const int c = static_cast<int>(0x80008000) + i * 0x00010001;
  return _mm512_shuffle_epi8(v, _mm512_set4_epi32(c + 0x000c000c, c + 0x00080008, c + 0x00040004, c));
}
inline V signed_byte_to_words(V v, int i) {
  const int c = 0x00800080 + i * 0x01000100;
  const V top = _mm512_shuffle_epi8(v, _mm512_set4_epi32(c + 0x0c000c00, c + 0x08000800, c + 0x04000400, c));
  return _mm512_srai_epi16(top, 8);
}

// Scales and mins of a chunk of 16 rows.
struct alignas(64) PairScales {
  int16_t scale[16][2 * kTileRows];  // of a sub-block, twice
  int16_t min[4][2 * kTileRows];     // of sub-blocks 2j and 2j + 1
  float block_scale[kTileRows], block_min[kTileRows];

  NT_INLINE V s(int j) const { return load(scale[j]); }
  NT_INLINE V m(int j) const { return load(min[j]); }
  NT_INLINE __m512 d() const { return _mm512_load_ps(block_scale); }
  NT_INLINE __m512 d_min() const { return _mm512_load_ps(block_min); }
};

struct alignas(64) PairTile : PairScales {
  // Values 8k … 8k + 7 of 16 rows, plus the format's kBias: lane i of q[k][0] has rows 4i and 4i + 1, of q[k][1] the
  // two rows after these.
  uint8_t q[kChunk / 8][2][64];
};

// 32 bytes of 16 rows, in the order of PairTile::q. From bytes 0 … 15 and 16 … 31 of rows i, i + 4, … in low[i] and
// high[i].
NT_INLINE void pair_up(const V* low, const V* high, V* v) {
  NT_UNROLL
  for (int i = 0; i < 2; ++i) {
    const V* rows = i == 0 ? low : high;
    v[4 * i] = _mm512_unpacklo_epi64(rows[0], rows[1]);
    v[4 * i + 1] = _mm512_unpacklo_epi64(rows[2], rows[3]);
    v[4 * i + 2] = _mm512_unpackhi_epi64(rows[0], rows[1]);
    v[4 * i + 3] = _mm512_unpackhi_epi64(rows[2], rows[3]);
  }
}

NT_INLINE void load_pairs(Rows r, V* v) {
  V low[4], high[4];
  NT_UNROLL
  for (int i = 0; i < 4; ++i) load_quads(r, static_cast<size_t>(i), low[i], high[i]);
  pair_up(low, high, v);
}

template <class F>
struct UnpackPairs;

template <>
struct UnpackPairs<Q4_K> {
  static NT_INLINE void scales(Rows r, PairScales* t) {
    V h[4];
    load_16_bytes(r, h);
    const HeadK4 head(h);
    NT_UNROLL
    for (int j = 0; j < 8; ++j) store(t->scale[j], byte_to_words(head.scale[j / 4], j % 4));
    NT_UNROLL
    for (int j = 0; j < 4; ++j) store(t->min[j], widen_pair(head.min[j / 2], j % 2));
    _mm512_store_ps(t->block_scale, head.d);
    _mm512_store_ps(t->block_min, head.d_min);
  }

  static NT_INLINE void values(Rows r, PairTile* t) {
    for (int g = 0; g < 4; ++g) {
      V v[8];
      load_pairs(r.at(16 + 32 * static_cast<size_t>(g)), v);
      auto* q = t->q + 8 * g;
      NT_UNROLL
      for (int i = 0; i < 8; ++i) {
        store(q[i / 2][i % 2], low_nibbles(v[i]));
        store(q[4 + i / 2][i % 2], high_nibbles(v[i]));
      }
    }
  }
};

template <>
struct UnpackPairs<Q6_K> {
  static NT_INLINE void scales(Rows r, PairScales* t) {
    V s[4];
    _mm512_store_ps(t->block_scale, scales_q6(r, s));
    NT_UNROLL
    for (int i = 0; i < 16; ++i) store(t->scale[i], signed_byte_to_words(s[i / 4], i % 4));
  }

  static NT_INLINE void values(Rows r, PairTile* t) {
    for (int h = 0; h < 2; ++h) {
      V upper[8];
      load_pairs(r.at(static_cast<size_t>(128 + 32 * h)), upper);
      NT_UNROLL
      for (int j = 0; j < 2; ++j) {
        V v[8];
        load_pairs(r.at(static_cast<size_t>(64 * h + 32 * j)), v);
        auto* q = t->q + 16 * h + 4 * j;
        NT_UNROLL
        for (int i = 0; i < 8; ++i) {
          store(q[i / 2][i % 2], Unpack<Q6_K>::sixbits(low_nibbles(v[i]), upper[i], 4 - 2 * j));
          store(q[8 + i / 2][i % 2], Unpack<Q6_K>::sixbits(high_nibbles(v[i]), upper[i], -2 * j));
        }
      }
    }
  }
};

template <class F>
inline void fill_tile(Rows r, int, PairTile* t) {
  UnpackPairs<F>::scales(r, t);
  UnpackPairs<F>::values(r, t);
}

// The dots of a pair of vectors with a column's values 8k … 8k + 7, of one sub-block.
struct PairDots {
  V of[2];

  // Where there is a bias, beginning with what takes it off: half a sub-block's dot, biased, would not fit a word.
  template <class S>
  NT_INLINE void start(const ActivationChunk& a, int sub) {
    of[0] = of[1] = S::kBias ? eight(a.bias32[sub]) : _mm512_setzero_si512();
  }

  // Eight bytes, repeated.
  static NT_INLINE V eight(const void* p) {
    int64_t x;
    std::memcpy(&x, p, sizeof x);
    return _mm512_set1_epi64(x);
  }

  NT_INLINE void add(V a, V b, V x) {
    asm("vpdpbusd %2, %1, %0" : "+v"(of[0]) : "v"(a), "v"(x));
    asm("vpdpbusd %2, %1, %0" : "+v"(of[1]) : "v"(b), "v"(x));
  }

  NT_INLINE void scale_into(V& total, V scale) const {
    asm("vpdpwssd %2, %1, %0" : "+v"(total) : "v"(_mm512_packs_epi32(of[0], of[1])), "v"(scale));
  }
};

// As the one for a WeightTile.
template <class S, int G, int C, class Fetch>
void multiply_tile(const PairTile* tile, const Fetch& share, const Columns& x, GroupSums* out, int first_column) {
  constexpr int kPairs = S::kSub / 8;
  Products<S, C> p[G];
  NT_UNROLL
  for (int g = 0; g < G; ++g) p[g] = Products<S, C>(x.a, nullptr);
  for (int s = 0; s < kChunk / S::kSub; ++s) {
    PairDots dots[G][C];
    NT_UNROLL
    for (int g = 0; g < G; ++g) {
      NT_UNROLL
      for (int c = 0; c < C; ++c) dots[g][c].template start<S>(x.a[c], s);
    }
    NT_UNROLL
    for (int i = 0; i < kPairs; ++i) {
      const int k = s * kPairs + i;
      V a[G], b[G];
      NT_UNROLL
      for (int g = 0; g < G; ++g) {
        a[g] = load(tile[g].q[k][0]);
        b[g] = load(tile[g].q[k][1]);
      }
      if (i % 2 == 0) share.template fetch<G>(k / 2, a);
      NT_UNROLL
      for (int c = 0; c < C; ++c) {
        const V values = PairDots::eight(x.a[c].q + 8 * k);
        NT_UNROLL
        for (int g = 0; g < G; ++g) dots[g][c].add(a[g], b[g], values);
      }
    }
    NT_UNROLL
    for (int g = 0; g < G; ++g) {
      const V scale = tile[g].s(s);
      NT_UNROLL
      for (int c = 0; c < C; ++c) dots[g][c].scale_into(p[g].total[c], scale);
    }
  }
  NT_UNROLL
  for (int g = 0; g < G; ++g) p[g].finish(tile[g], out[g][first_column]);
}

// Q4_K handed out as a stream of pairs, in a loop over a block's parts: code that does not fit into a CPU's cache of
// decoded instructions is decoded again, on Ice Lake at 16 bytes a cycle, and the dots of a whole block of 8 columns
// have 11 KB. As a Stream, for a sink with
//   Sink::kRuns                         runs of columns, which take each pair of vectors in turn
//   sink.put(run, part, k, a, b)        values 64 · part + 8k … + 7, as in PairTile
//   sink.finish(run, scales, j)         sub-block j is complete
class PairStream {
 public:
  NT_INLINE PairStream(Rows r, PairScales&) { load_pairs(r.at(16), v_); }

  template <class Sink>
  NT_INLINE void chunk(Rows r, Rows next, PairScales& scales, PairScales&, Sink& sink) {
    UnpackPairs<Q4_K>::scales(r, &scales);
    asm("" : "+m"(scales));  // gcc would keep them in registers, and put sums into memory instead
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
  V v_[8];  // 32 bytes of the next values
};

// Its sink. More than four columns at a time would not leave registers for weights and sums.
template <int C>
struct PairsToDots {
  using S = ShapeOf<Q4_K>;
  using Scales = PairScales;
  static constexpr int kRun = 4, kRuns = (C + kRun - 1) / kRun;

  Products<S, C> p;
  Ahead& ahead;
  PairDots dots[kRun];

  NT_INLINE PairsToDots(const ActivationChunk* a, Ahead& next) : p(a, nullptr), ahead(next) {}

  NT_INLINE void put(int run, int part, int k, V a, V b) {
    static_assert(kLines<Q4_K> == 3, "two lines with one pair, and one with the next");
    if (run == 0) ahead.template fetch_next<Q4_K, false>(k % 2, a);
    if (run == 0 && k % 2 == 1) ahead.template fetch_next<Q4_K, false>(2, a);
    NT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      const int c = run * kRun + i;
      if (c >= C) continue;
      if (k % 4 == 0) dots[i].start<S>(p.a[c], 0);
      dots[i].add(a, b, PairDots::eight(p.a[c].q + 64 * part + 8 * k));
    }
  }

  NT_INLINE void finish(int run, const Scales& scales, int sub) {
    const V scale = scales.s(sub);
    NT_UNROLL
    for (int i = 0; i < kRun; ++i) {
      if (run * kRun + i < C) dots[i].scale_into(p.total[run * kRun + i], scale);
    }
  }

  NT_INLINE void finish_chunk(const Scales& scales, float* out) { p.finish(scales, out); }
};

}  // namespace
}  // namespace nt::cpu

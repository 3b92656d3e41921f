// AMX with int8, as Sapphire Rapids has it: matrix products of the K-quants that most models are made of. An
// instruction multiplies 16 columns with 16 rows, 64 values of each, in 16 cycles. To store its dots takes as long, and
// to scale them longer, so that the integer scales go into the weights, and dots are stored once a chunk: a weight is
// d · s · q, and s · q is taken apart into two digits that fit bytes.
//
// Emerald Rapids, 16 rows by 16 columns by 256 values from the cache, of Q4_K: in a batch of 256 155 ns, by vectors
// 257; 16 columns alone 288, by vectors 430. Of the 155 the tiles take 65 and what is beside them 45: they hardly
// overlap, since a store of a tile holds up what comes after it (176 cycles for eight stored sub-blocks, 133 for eight
// that are not).
//
// With few columns the digits cost more than they save, and products come from a stream, by vectors (8 columns: 212 and
// 235 ns), with the same bits, as these are summed up in integers, too.
//
// Tiles are the registers, AmxTiles or what imitates them in tests:
//   Tiles(n_left)                  16 rows of 64 bytes each, registers kLeft … kLeft + 2 n_left rows
//   zero<R>()
//   load<R>(p, stride)             each row from p + row · stride
//   store<R>(p, stride)
//   multiply<R, A, B>()            R[i][j] += Σ_k A[i][k] · B[k / 4][j][k % 4], of signed bytes
#pragma once

#include "cpu/kernels_avx512_matmul.h"

namespace nt::cpu {
namespace {

constexpr int kBlockColumns = 16;  // a register's rows
constexpr int kParts = 4;          // of a chunk: 64 values each, a register's bytes a row

// Registers 0 and 1 hold dots and 2 the activations of 16 columns, those from kLeft on the same of the columns that are
// left. 6 and 7 hold weights.
constexpr int kLeft = 3;

constexpr int register_rows(int r, int n_left) { return r < kLeft || r >= kLeft + 3 ? 16 : n_left; }

// Digits of 16 rows by a chunk, in the order of Tile::q. Of the 64 bytes of a register's rows, a part takes 16.
struct alignas(64) DigitTile {
  int8_t low[kChunk / 4][kTileRows][4], high[kChunk / 4][kTileRows][4];
};

// A block's dots of a chunk.
struct alignas(64) Dots {
  int32_t low[kBlockColumns][kTileRows], high[kBlockColumns][kTileRows];
};

struct alignas(64) AmxScratch {
  Scratch s;
  DigitTile digits;
  Dots dots[2];
};
static_assert(sizeof(AmxScratch) <= kScratchBytes);

template <class F>
using ScalesOf = typename Stream<F>::Scales;

// The lower word of each dword, twice.
NT_INLINE V in_both_words(V v) { return _mm512_mask_blend_epi16(0xaaaaaaaa, v, _mm512_slli_epi32(v, 16)); }

// s · q as 2^kShift · high + low, for the scales of a sub-block.
template <class F>
struct Digits;

// Where q has four bits, s has six: with s = 8 · s1 + s0 the digits are s1 · q and s0 · q, up to 105, and a
// multiplication of words makes two of them, since none is carried over.
template <>
struct Digits<Q4_K> {
  static constexpr int kShift = 3;

  V s0 = V{}, s1 = V{};

  NT_INLINE void set_scales(V s) {
    s0 = _mm512_and_si512(s, _mm512_set1_epi16(7));
    s1 = _mm512_srli_epi16(s, 3);
  }

  NT_INLINE void take_apart(V q, V& low, V& high) const {
    low = _mm512_mullo_epi16(q, s0);
    high = _mm512_mullo_epi16(q, s1);
  }
};

// s · q has 14 bits, of which the lower six are the low digit.
template <>
struct Digits<Q6_K> {
  static constexpr int kShift = 6;

  V even = V{}, odd = V{}, bias = V{};  // scales for every other byte; 32 times the scales

  NT_INLINE void set_scales(V s) {
    even = _mm512_and_si512(s, _mm512_set1_epi16(0x00ff));
    odd = _mm512_slli_epi16(s, 8);
    bias = _mm512_slli_epi16(s, 5);
  }

  NT_INLINE void take_apart(V q, V& low, V& high) const {
    const V e = _mm512_sub_epi16(_mm512_maddubs_epi16(q, even), bias);
    const V o = _mm512_sub_epi16(_mm512_maddubs_epi16(q, odd), bias);
    const V even_bytes = _mm512_set1_epi16(0x00ff);
    low = _mm512_and_si512(_mm512_ternarylogic_epi32(even_bytes, e, _mm512_slli_epi16(o, 8), 0xca), bytes(63));
    high = _mm512_ternarylogic_epi32(even_bytes, _mm512_srli_epi16(e, 6), _mm512_slli_epi16(o, 2), 0xca);
  }
};

// A sink of Unpack::values() that fills a DigitTile.
template <class F>
struct ToDigits {
  static constexpr bool kUnrolled = F::kSub == 16;

  const ScalesOf<F>& scales;
  DigitTile& out;
  Ahead ahead;
  Digits<F> digits = {};

  NT_INLINE void put(int first, int i, V q) {
    if (i == 0) digits.set_scales(in_both_words(scales.s(4 * first / F::kSub)));
    V low, high;
    digits.take_apart(q, low, high);
    store(out.low[first + i], low);
    store(out.high[first + i], high);
    if (i % 4 < kLines<F>) ahead.fetch((first + i) / 4, i % 4, q);
  }

  NT_INLINE void finish(int) {}
};

// Σ s·q·a of a chunk for 16 columns, or for those that are left. Calls beside(k) after each part.
template <bool kFull, class Tiles, class Beside>
NT_INLINE void multiply_digits(Tiles& tiles, const DigitTile& w, const ActivationChunk* a, Dots* dots,
                               const Beside& beside) {
  constexpr int kLow = kFull ? 0 : kLeft, kHigh = kLow + 1, kColumns = kLow + 2, kWeights = 6;
  tiles.template zero<kLow>();
  tiles.template zero<kHigh>();
  for (int k = 0; k < kParts; ++k) {
    tiles.template load<kColumns>(a->q + 64 * k, sizeof *a);
    tiles.template load<kWeights>(w.low[16 * k], 64);
    tiles.template multiply<kLow, kColumns, kWeights>();
    tiles.template load<kWeights + 1>(w.high[16 * k], 64);
    tiles.template multiply<kHigh, kColumns, kWeights + 1>();
    beside(k);
  }
  tiles.template store<kLow>(dots->low, 64);
  tiles.template store<kHigh>(dots->high, 64);
}

// Dots, and what they are scaled by and added to.
template <class F>
struct Pending {
  const Dots* dots = nullptr;
  const ScalesOf<F>* scales;
  const ActivationChunk* a;
  float (*out)[kTileRows];
};

// Adds the dots of columns c … c + C − 1.
template <class F, int C>
NT_INLINE void add_dots(const Pending<F>& p, int first) {
  Products<ShapeOf<F>, C> products(p.a + first, nullptr);
  NT_UNROLL
  for (int c = 0; c < C; ++c) {
    products.total[c] = _mm512_add_epi32(_mm512_slli_epi32(load(p.dots->high[first + c]), Digits<F>::kShift),
                                         load(p.dots->low[first + c]));
  }
  products.finish(*p.scales, p.out[first]);
}

// Many columns, chunk after chunk. While tiles multiply, the dots of the block before are added.
template <class F, class Tiles>
void multiply_tiles(const Matmul& m, int row, int n_groups, int col, int n_cols, AmxScratch* t) {
  const int n_left = n_cols % kBlockColumns, n_full = n_cols - n_left;
  Tiles tiles(n_left);
  clear(t->s.out, n_groups, n_cols);
  Pending<F> last;
  ScalesOf<F> scales[2];
  unsigned n_tiles = 0, n_blocks = 0;
  const auto add_last = [&](int k) NT_INLINE_LAMBDA {
    if (last.dots != nullptr) add_dots<F, kBlockColumns / kParts>(last, kBlockColumns / kParts * k);
  };
  for (int i = 0; i < n_chunks(m.n_values); ++i) {
    const ActivationChunk* a = m.q + i * m.q_stride + col;
    for (int g = 0; g < n_groups; ++g) {
      const int r = row + g * kTileRows;
      const Rows rows = whole_rows_of<F>(m, {r, 1}, i, t->s.rows);
      ScalesOf<F>* now = &scales[n_tiles++ % 2];
      now->read(rows);
      ToDigits<F> sink{*now, t->digits, {stretches_ahead<F>(m, r, n_groups, i)}};
      Unpack<F>(rows).values(sink);
      for (int c = 0; c < n_full; c += kBlockColumns) {
        Dots* dots = &t->dots[n_blocks++ % 2];
        multiply_digits<true>(tiles, t->digits, a + c, dots, add_last);
        last = {dots, now, a + c, t->s.out[g] + c};
      }
      if (n_left > 0) {
        Dots* dots = &t->dots[n_blocks++ % 2];
        multiply_digits<false>(tiles, t->digits, a + n_full, dots, add_last);
        last = {dots, now, a + n_full, t->s.out[g] + n_full};
        for (int c = 0; c < n_left; ++c) add_dots<F, 1>(last, c);
        last.dots = nullptr;
      }
    }
  }
  for (int k = 0; k < kParts; ++k) add_last(k);
  write_out(m, row, n_groups, col, n_cols, t->s.out);
}

template <class F, class Tiles>
void matmul_amx(const Matmul& m) {
  auto* t = static_cast<AmxScratch*>(m.scratch);
  for_blocks(m, m.n_cols <= kFewColumns ? 1 : kMaxGroups,
             [&](int row, int n_groups, int col, int n_cols) NT_INLINE_LAMBDA {
               if (is_streamed(m, row, kBlock)) {
                 multiply_stream<F>(m, row, &t->s);
               } else {
                 multiply_tiles<F, Tiles>(m, row, n_groups, col, n_cols, t);
               }
             });
}

template <class Tiles>
void init_amx_matmul(Kernels& k) {
  k.matmul[static_cast<int>(Format::Q4_K)] = matmul_amx<Q4_K, Tiles>;
  k.matmul[static_cast<int>(Format::Q6_K)] = matmul_amx<Q6_K, Tiles>;
}

}  // namespace
}  // namespace nt::cpu
